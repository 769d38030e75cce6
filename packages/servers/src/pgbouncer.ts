import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { Guard } from './guard.ts'
import { findProgram, type Program } from './programs.ts'
import { giveTo, unprivileged } from './run-as.ts'

/** What {@link startPgBouncer} needs. */
export const PGBOUNCER: Program = { name: 'pgbouncer', debianPackages: ['pgbouncer'] }

const START_LIMIT_MS = 10_000

/** A PgBouncer that is running. */
export interface PgBouncer {
  readonly port: number
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a PgBouncer on a free port of 127.0.0.1, in front of one PostgreSQL server. Whoever logs in there with any
 * password reaches it as the server's own user.
 *
 * @param server where the server is, and who logs in
 * @param mode how long a client keeps a session of the server
 * @param maxClients how many clients it takes at the same time
 * @throws NoServerError when there is no PgBouncer and none can be installed
 */
export async function startPgBouncer(
  server: { readonly host: string; readonly port: number; readonly user: string; readonly password: string },
  mode: 'session' | 'transaction',
  maxClients = 100,
): Promise<PgBouncer> {
  const command = await findProgram(PGBOUNCER)
  const folder = await mkdtemp(join(tmpdir(), 'wellpool-pgbouncer-'))
  const guard = new Guard({ folders: [folder], endSignal: 'SIGINT' })
  try {
    const runAs = unprivileged()
    const port = await freePort()
    const config = join(folder, 'pgbouncer.ini')
    await writeFile(
      config,
      `[databases]
* = host=${server.host} port=${server.port} user=${server.user} password=${server.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
max_client_conn = ${maxClients}
ignore_startup_parameters = extra_float_digits
`,
    )
    for (const path of [folder, config]) await giveTo(runAs, path)
    const log = join(folder, 'output.log')
    await guard.run({ command, args: [config], cwd: folder, env: { PATH: process.env.PATH }, log, ...runAs })
    const limit = performance.now() + START_LIMIT_MS
    while (!(await listens(port))) {
      if (guard.pid === undefined || performance.now() > limit)
        throw new Error(`PgBouncer did not start:\n${await readFile(log, 'utf8').catch(() => '')}`)
      await delay(10)
    }
    const close = (): Promise<void> => guard.close()
    return { port, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await guard.close()
    throw error
  }
}

async function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
