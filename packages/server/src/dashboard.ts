import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

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
  await app.register(async (inner) => {
    inner.addHook('onRequest', addSlash)
    await inner.register(fastifyStatic, {
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
  })
}

/** Under `/wellpool` the page would look for its files beside it, where they are not: it is at `/wellpool/`. */
async function addSlash({ server, url }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const [address = '', query] = url.split('?')
  if (server.prefix === '' || !address.endsWith(server.prefix)) return undefined
  // Relative: what stands before this server may show it elsewhere.
  return reply.redirect(`${address.split('/').at(-1)}/${query === undefined ? '' : `?${query}`}`, 308)
}
