import { mkdtemp, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Guard } from './guard.ts'
import { findProgram, type Program } from './programs.ts'
import { giveTo, unprivileged } from './run-as.ts'
import { runUntilReady } from './run-until-ready.ts'

/** What {@link startNginx} runs. */
export const NGINX: Program = { name: 'nginx', debianPackages: ['nginx-light'] }

/** An nginx that is running on 127.0.0.1. */
export interface Nginx {
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts an nginx.
 *
 * @param site what would stand in a file of conf.d; it listens on `port`
 * @param files others that it names, which stand beside it
 * @throws NoServerError when there is none and none can be installed
 */
export async function startNginx(site: string, port: number, files: Readonly<Record<string, string>> = {}): Promise<Nginx> {
  const command = await findProgram(NGINX)
  const folder = await mkdtemp(join(tmpdir(), 'wellpool-nginx-'))
  const guard = new Guard({ folders: [folder], endSignal: 'SIGTERM' })
  try {
    const runAs = unprivileged(['www-data', 'nobody'])
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `  ${kind}_temp_path ${join(folder, kind)};\n`)
    const main = `daemon off;
error_log stderr;
pid ${join(folder, 'nginx.pid')};
events {}
http {
  access_log off;
${temporary.join('')}  include ${join(folder, 'site.conf')};
}
`
    await giveTo(runAs, folder)
    for (const [name, text] of Object.entries({ ...files, 'site.conf': site, 'nginx.conf': main })) {
      await writeFile(join(folder, name), text)
      await giveTo(runAs, join(folder, name))
    }
    const args = ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')]
    const options = { cwd: folder, env: { PATH: process.env.PATH }, log: join(folder, 'output.log'), ...runAs }
    await runUntilReady(guard, 'nginx', { command, args, ...options }, () => listens(port))
    const close = (): Promise<void> => guard.close()
    return { close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await guard.close()
    throw error
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
