import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { createConnection, type Connection as ServerConnection } from 'mysql2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type MysqlOptions, mysql } from '../../src/drivers/mysql.ts'

const never = new AbortController().signal
const context = { signal: never, connectionId: 'test-1', attempt: 1 }
const THREAD = 4711
// Without compression, TLS, and attributes of queries, which its parser does not know.
const CAPABILITIES = 0x00_ff_f7_df

/** What mysql2's server has that its types do not tell. */
interface Peer extends ServerConnection {
  sequenceId: number
  writeError(error: { message: string; code: number }): void
  writeOk(): void
  writeTextResult(rows: object[], columns: object[]): void
  stream: { end(): void }
}

/** A server that answers by a script: what other servers say than those that can be had for tests. */
describe('mysql() and a server that', () => {
  let server: Server
  let heard: string[]
  let peer: Peer
  /** Told of the number of each command. */
  let notice: (command: number) => void
  let answers: (sql: string) => Record<string, string | number> | { code: number; message: string } | undefined

  /** One row of one answer. */
  const answer = (sql: string): void => {
    heard.push(sql)
    // Each command and its answer are numbered anew, which mysql2 leaves to its users.
    peer.sequenceId = 1
    const found = answers(sql)
    if (found === undefined) peer.writeOk()
    else if ('message' in found) peer.writeError(found as { code: number; message: string })
    else {
      const column = {
        catalog: 'def',
        schema: '',
        table: '',
        orgTable: '',
        orgName: '',
        characterSet: 33,
        columnLength: 99,
        columnType: 253,
        flags: 0,
        decimals: 0,
      }
      const columns = Object.keys(found).map((name) => ({ ...column, name }))
      peer.writeTextResult([found], columns)
    }
    peer.sequenceId = 0
  }
  const settings = { client: 'utf8mb4', results: 'utf8mb4', collation: 'utf8mb4_unicode_ci' }
  const driver = (options: MysqlOptions = {}) =>
    mysql({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, user: 'me', ...options })

  beforeEach(async () => {
    heard = []
    notice = () => {}
    answers = (sql) => (sql.startsWith('SELECT') ? { id: THREAD, server: 'a/1', ...settings } : undefined)
    server = createServer((socket) => {
      peer = createConnection({ stream: socket, isServer: true }) as Peer
      const greeting = { protocolVersion: 10, serverVersion: '8.4.0', connectionId: THREAD, statusFlags: 2, characterSet: 33 }
      const authCallback = (_: unknown, done: (error: null) => void): void => {
        done(null)
        peer.sequenceId = 0
      }
      peer.serverHandshake({ ...greeting, capabilityFlags: CAPABILITIES, authCallback })
      peer.on('query', answer)
      // mysql2 takes SET for one.
      peer.on('stmt_prepare', answer)
      // Without it a command that mysql2 does not know is written to the console.
      peer.on('packet', (_packet: unknown, _known: boolean, command: number) => notice(command))
      peer.on('error', () => {})
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })

  afterEach(async () => {
    peer.stream.end()
    server.close()
    await once(server, 'close')
  })

  it('is a MySQL is asked for its identity in MySQL’s own words', async () => {
    const made = driver()
    const client = await made.connect(context)
    expect(heard[0]).toContain('@@server_uuid')
    expect(heard[0]).toContain('performance_schema.global_status')
    expect(made.mayAskAbout?.(client)).toBe(false)
    const query = client.query('select slowly')
    expect(made.mayAskAbout?.(client)).toBe(true)
    await query
    made.destroy(client)
  })

  it('is another one than it seemed when it greeted, as behind a proxy, can’t be asked about', async () => {
    answers = (sql) => (sql.startsWith('SELECT') ? { id: THREAD + 1, server: 'a/1', ...settings } : undefined)
    const made = driver()
    const client = await made.connect(context)
    const query = client.query('select slowly')
    expect(made.mayAskAbout?.(client)).toBe(false)
    await query
    made.destroy(client)
  })

  it('does not know itself can be connected to all the same', async () => {
    answers = (sql) => {
      if (sql.includes('global_status')) return { code: 1109, message: 'Unknown table' }
      return sql.startsWith('SELECT') ? settings : undefined
    }
    const made = driver()
    const client = await made.connect(context)
    const query = client.query('select slowly')
    expect(made.mayAskAbout?.(client)).toBe(false)
    await query
    made.destroy(client)
  })

  it('can’t report changes of the session has that made anew after each use', async () => {
    const made = driver()
    for (const reply of [undefined, { code: 1193, message: 'Unknown system variable' }]) {
      answers = (sql) => {
        if (sql === 'SET SESSION session_track_state_change = ON') return reply
        return sql.startsWith('SELECT') ? { id: THREAD, server: 'a/1', ...settings, name: 'app' } : undefined
      }
      const client = await made.connect(context)
      expect(made.reset?.(client)).toBeUndefined()
      await client.query('insert into t values (1)')
      const reset = made.reset?.(client)
      expect(reset).toBeInstanceOf(Promise)
      made.destroy(client)
      await expect(reset).rejects.toMatchObject({ code: 'PROTOCOL_CONNECTION_LOST' })
    }
  })

  it('does not know how to reset a session has the client log in again', async () => {
    const [RESET, CHANGE_USER] = [0x1f, 0x11]
    const commands: number[] = []
    notice = (command) => {
      if (command !== RESET && command !== CHANGE_USER) return
      commands.push(command)
      peer.sequenceId = 1
      if (command === RESET) peer.writeError({ code: 1047, message: 'Unknown command' })
      else peer.writeOk()
      peer.sequenceId = 0
    }
    answers = (sql) => {
      if (sql.includes('session_track_state_change')) return { code: 1193, message: 'Unknown system variable' }
      return sql.startsWith('SELECT') ? { id: THREAD, server: 'a/1', ...settings } : undefined
    }
    const made = driver({ database: 'app' })
    const client = await made.connect(context)
    for (let use = 0; use < 2; use++) {
      await client.query('insert into t values (1)')
      await made.reset?.(client)
    }
    // It is not asked a second time. Older versions of mysql2 never ask it.
    expect(commands.filter((command) => command === CHANGE_USER)).toHaveLength(2)
    expect(commands.filter((command) => command === RESET).length).toBeLessThanOrEqual(1)
    made.destroy(client)
  })

  it('says a last word to a client that was idle for too long is quoted', async () => {
    const made = driver()
    const client = await made.connect(context)
    const lost = new Promise((resolve) => made.watch?.(client, { lost: resolve, retire: () => {} }))
    peer.writeError({ code: 4031, message: 'The client was disconnected by the server because of inactivity.' })
    const error = await lost
    expect(error).toMatchObject({ code: 4031, message: expect.stringContaining('inactivity') })
    expect(made.classify?.(error)).toBe('fatal')
    made.destroy(client)
  })
})
