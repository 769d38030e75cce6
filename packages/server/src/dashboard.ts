import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/** The folder with the built dashboard, if its package is installed. */
export function findDashboard(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve('@wellpool/dashboard/package.json')
    const folder = path.join(path.dirname(manifest), 'dist')
    return existsSync(path.join(folder, 'index.html')) ? folder : undefined
  } catch {
    return undefined
  }
}

/** Serves the files of a folder, each under its own address: those that are there now, and no path leads out of it. */
export async function serveDashboard(app: FastifyInstance, folder: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: folder,
    wildcard: false,
    decorateReply: false,
    index: ['index.html'],
    cacheControl: false,
    setHeaders: (response, file) => {
      // What is built has a hash in its name, all but the page itself.
      response.setHeader('cache-control', file.endsWith('.html') ? 'no-cache' : 'public, max-age=31536000, immutable')
    },
  })
}
