import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import type { FaultProxy } from '../../src/testing/index.ts'

/** What a difference is shown with. */
export interface Stage {
  readonly open: (options?: pg.PoolConfig & { wellpool?: object }) => pg.Pool
  readonly admin: pg.Client
  /** In front of the server; `port` of it is to be given to whom it is for. */
  readonly proxy: FaultProxy
}

/** One thing that `wellpool/pg-pool` does otherwise on purpose. Its title stands in docs/migrating.md. */
export interface Difference {
  readonly title: string
  readonly run: (stage: Stage) => Promise<unknown>
  /** What comes of it with pg-pool, and with ours. */
  readonly pgPool: unknown
  readonly wellpool: unknown
}

const pidOf = (client: pg.ClientBase): number => (client as unknown as { processID: number }).processID
const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'fulfilled',
    (error: Error) => error.message,
  )

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await delay(5)
}

export const DIFFERENCES: readonly Difference[] = [
  {
    title: 'A query that the server answers with an error costs no client',
    run: async ({ open }) => {
      const pool = open({ max: 1 })
      const before = (await pool.query('select pg_backend_pid() as pid')).rows[0].pid
      await pool.query('select 1/0').catch(() => {})
      return (await pool.query('select pg_backend_pid() as pid')).rows[0].pid === before
    },
    pgPool: false,
    wellpool: true,
  },
  {
    title: 'What a borrower leaves unfinished is undone',
    run: async ({ open }) => {
      const pool = open({ max: 1 })
      const client = await pool.connect()
      await client.query('begin; create temporary table left_behind (id int); listen news')
      client.release()
      const next = await pool.connect()
      const status = next.getTransactionStatus()
      const { rows } = await next.query('select count(*)::int as channels from pg_listening_channels()')
      next.release()
      return { status, ...rows[0] }
    },
    // Within a transaction LISTEN takes effect when that is committed.
    pgPool: { status: 'T', channels: 0 },
    wellpool: { status: 'I', channels: 0 },
  },
  {
    title: 'Nobody has to listen to errors',
    run: async ({ open, admin }) => {
      const pool = open()
      const thrown = new Promise<string>((resolve) => {
        // Before the test runner's own listeners, which would fail the run.
        const original = process.listeners('uncaughtException')
        process.removeAllListeners('uncaughtException')
        process.once('uncaughtException', (error) => {
          for (const listener of original) process.on('uncaughtException', listener)
          resolve(`would have ended the process: ${error.message}`)
        })
        pool.once('remove', () =>
          setImmediate(() => {
            process.removeAllListeners('uncaughtException')
            for (const listener of original) process.on('uncaughtException', listener)
            resolve('goes on')
          }),
        )
      })
      const client = await pool.connect()
      client.release()
      await admin.query('select pg_terminate_backend($1)', [pidOf(client)])
      return thrown
    },
    pgPool: 'would have ended the process: terminating connection due to administrator command',
    wellpool: 'goes on',
  },
  {
    title: 'A client that nobody has is looked at before somebody gets it',
    run: async ({ open, proxy }) => {
      const pool = open({ host: proxy.host, port: proxy.port, connectionTimeoutMillis: 3000, wellpool: { verifyIdleAfter: 0 } })
      pool.on('error', () => {})
      await pool.query('select 1')
      proxy.inject({ kind: 'silence' }, 'present')
      const answered = outcome(pool.query({ text: 'select 1', query_timeout: 500 } as pg.QueryConfig))
      const result = await answered
      proxy.heal()
      return result
    },
    pgPool: 'Query read timeout',
    wellpool: 'fulfilled',
  },
  {
    title: 'Idle clients are asked how they are',
    run: async ({ open, proxy }) => {
      const pool = open({ host: proxy.host, port: proxy.port, wellpool: { healthCheckInterval: 20 } })
      await pool.query('select 1')
      const said = (): number => proxy.flows().reduce((sum, { toServer }) => sum + toServer.delivered, 0)
      const before = said()
      for (let turn = 0; turn < 60 && said() === before; turn++) await delay(5)
      return said() > before
    },
    pgPool: false,
    wellpool: true,
  },
  {
    title: 'A client that is lost is replaced without being asked for',
    run: async ({ open, admin }) => {
      const pool = open()
      pool.on('error', () => {})
      const client = await pool.connect()
      client.release()
      let connects = 0
      pool.on('connect', () => connects++)
      const removed = new Promise((resolve) => pool.once('remove', resolve))
      await admin.query('select pg_terminate_backend($1)', [pidOf(client)])
      await removed
      // pg-pool would begin now, if it did.
      for (let turn = 0; turn < 40 && connects === 0; turn++) await delay(5)
      return connects
    },
    pgPool: 0,
    wellpool: 1,
  },
  {
    title: 'A client of age has a successor before it goes',
    run: async ({ open }) => {
      const pool = open({ max: 1, maxUses: 1, idleTimeoutMillis: 0 })
      const order: string[] = []
      pool.on('connect', () => order.push('connect'))
      pool.on('remove', () => order.push('remove'))
      await pool.query('select 1')
      await until(() => order.includes('remove'))
      return order
    },
    pgPool: ['connect', 'remove'],
    wellpool: ['connect', 'connect', 'remove'],
  },
  {
    title: 'min is kept open',
    run: async ({ open }) => {
      const pool = open({ min: 3 })
      await pool.query('select 1')
      for (let turn = 0; turn < 40 && pool.totalCount < 3; turn++) await delay(5)
      return pool.totalCount
    },
    pgPool: 1,
    wellpool: 3,
  },
  {
    title: 'Connects are limited: two at a time, and none where waiting is shorter',
    run: async ({ open }) => {
      const pool = open({ max: 10 })
      const connecting = Array.from({ length: 10 }, () => pool.connect())
      await delay(0)
      const begun = pool.totalCount
      for (const client of await Promise.all(connecting)) client.release()
      return begun
    },
    pgPool: 10,
    wellpool: 2,
  },
  {
    title: 'A connect that is never answered is given up',
    run: async ({ open }) => {
      const sockets: Socket[] = []
      const server = createServer((socket) => sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const pool = open({ host: '127.0.0.1', port, wellpool: { connectTimeout: 50 } })
      const connecting = outcome(pool.connect())
      const found = await Promise.race([connecting, delay(1000).then(() => 'pending')])
      for (const socket of sockets) socket.destroy()
      server.close()
      await connecting
      return found
    },
    pgPool: 'pending',
    wellpool: 'Connection terminated due to connection timeout',
  },
  {
    title: 'end serves those who wait',
    run: async ({ open }) => {
      const pool = open({ max: 1 })
      const client = await pool.connect()
      let served = false
      pool.query('select 1').then(
        () => (served = true),
        () => {},
      )
      const ended = pool.end()
      client.release()
      await ended
      return served
    },
    pgPool: false,
    wellpool: true,
  },
  {
    title: 'Errors of time-outs say why',
    run: async ({ open }) => {
      const pool = open({ max: 1, connectionTimeoutMillis: 1000 })
      const client = await pool.connect()
      const error = await pool.connect().catch((reason: unknown) => reason)
      client.release()
      const { cause } = error as { cause?: { verdict?: string; waiting?: number } }
      return cause && { verdict: cause.verdict, waiting: cause.waiting }
    },
    pgPool: undefined,
    wellpool: { verdict: 'saturated', waiting: 1 },
  },
  {
    title: 'Sockets are kept alive',
    run: async ({ open }) => {
      const pool = open()
      const client = await pool.connect()
      const { stream } = client.connection as unknown as { stream: object }
      const handle = Object.getOwnPropertySymbols(stream).find((symbol) => symbol.description === 'kSetKeepAlive')
      client.release()
      return handle !== undefined && (stream as Record<symbol, unknown>)[handle] === true
    },
    pgPool: false,
    wellpool: true,
  },
  {
    title: 'A number that is none is refused',
    run: async ({ open }) => {
      try {
        open({ max: -1 })
        return 'taken'
      } catch (error) {
        return (error as Error).message
      }
    },
    pgPool: 'taken',
    wellpool: 'wrong option: max: got -1, allowed is a whole number from 1',
  },
]
