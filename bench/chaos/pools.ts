import type pg from 'pg'

/** How long a borrower waits for a connection, and how long a query for its answer, ms. */
export const ACQUIRE_MS = 2_000
export const QUERY_MS = 2_000
/** What a caller waits in all: then it has left, whatever comes. */
export const DEADLINE_MS = ACQUIRE_MS + QUERY_MS

/** Connections that each pool may open. */
export const MAX_CONNECTIONS = 10

/** Where the pools connect to. */
export interface Address {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  /** Asked at each connect: it may change. */
  readonly password: () => string
}

/** A pool behind the API that its authors recommend. */
export interface OpenedPool {
  /**
   * Sends one statement and resolves when it is answered.
   *
   * @param idempotent whether it may run again, for a pool that wants to know
   */
  request(sql: string, idempotent: boolean): Promise<unknown>
  /** Tells what the pool does, where it can: for diagnosis alone. */
  trace?(listener: (event: string, details: object) => void): void
}

type Open = (address: Address, contender: string) => Promise<OpenedPool>

/** What pg's clients are given, under whatever pool. */
const pgSettings = (address: Address) => ({
  ...address,
  keepAlive: true,
  connectionTimeoutMillis: ACQUIRE_MS,
  query_timeout: QUERY_MS,
})

const POOLS: Readonly<Record<string, Open>> = {
  /** Its defaults, and the two deadlines. `idempotent`: what may run again does, after its connection was lost. */
  async wellpool(address, contender) {
    const [{ createPool }, { postgres }] = await Promise.all([import('wellpool'), import('wellpool/postgres')])
    const pool = createPool(postgres({ ...address, queryTimeout: QUERY_MS }), {
      name: 'wellpool',
      maxConnections: MAX_CONNECTIONS,
      ...(contender.endsWith(TEN) && { maxConnecting: 10 }),
    })
    return {
      request: (sql, idempotent) => pool.use((client) => client.query(sql), { timeout: ACQUIRE_MS, idempotent }),
      trace: (listener) => {
        for (const name of TRACED) pool.on(name, (event) => listener(name, event))
      },
    }
  },
  async 'pg-pool'(address) {
    const { default: PgPool } = await import('pg-pool')
    const pool = new PgPool({ ...pgSettings(address), max: MAX_CONNECTIONS })
    pool.on('error', () => {})
    return { request: (sql) => pool.query(sql) }
  },
  /** Validates at each borrowing, and does not give back what has failed. */
  async 'generic-pool'(address) {
    const [{ createPool }, { default: pg }] = await Promise.all([import('generic-pool'), import('pg')])
    const pool = createPool<pg.Client>(
      {
        create: async () => {
          const client = new pg.Client(pgSettings(address))
          client.on('error', () => {})
          await client.connect()
          return client
        },
        // One that rejects would lose its place for good.
        validate: (client) =>
          client.query('select 1').then(
            () => true,
            () => false,
          ),
        destroy: (client) => client.end(),
      },
      { max: MAX_CONNECTIONS, testOnBorrow: true, acquireTimeoutMillis: ACQUIRE_MS },
    )
    return {
      request: async (sql) => {
        const client = await pool.acquire()
        try {
          const result = await client.query(sql)
          void pool.release(client)
          return result
        } catch (error) {
          void pool.destroy(client)
          throw error
        }
      },
    }
  },
  async knex(address) {
    const { default: knex } = await import('knex')
    const db = knex({
      client: 'pg',
      connection: pgSettings(address),
      pool: { min: 0, max: MAX_CONNECTIONS },
      acquireConnectionTimeout: ACQUIRE_MS,
    })
    return { request: async (sql) => db.raw(sql) }
  },
  /** It has no time-out of a query's; the application gives up and cancels, so that its queue does not grow for ever. */
  async 'postgres.js'(address) {
    const { default: postgres } = await import('postgres')
    const sql = postgres({ ...address, max: MAX_CONNECTIONS, connect_timeout: ACQUIRE_MS / 1000, onnotice: () => {} })
    return {
      request: async (text) => {
        const query = sql.unsafe(text)
        const timer = setTimeout(() => {
          // In all of its versions 3 `cancel` returns a promise for what has to be sent.
          const sent = query.cancel() as unknown
          if (sent instanceof Promise) sent.catch(() => {})
        }, DEADLINE_MS)
        try {
          return await query
        } finally {
          clearTimeout(timer)
        }
      },
    }
  },
}

/** What Wellpool does that matters in a diagnosis: not each lease. */
const TRACED = [
  'connectionCreated',
  'connectionClosed',
  'connectFailed',
  'healthCheckFailed',
  'healthStatusChanged',
  'rebuildMarked',
  'rebuildStarted',
  'rebuildCompleted',
  'rebuildFailed',
  'breakerOpened',
  'breakerHalfOpened',
  'breakerClosed',
] as const

/** After a pool's name: its request is made once more when it has failed, as many applications do. */
const RETRY = '+retry'
/** After Wellpool's name: it is not told that requests may run again. */
const ONCE = '+once'

/** After Wellpool's name: it opens up to ten connections at a time, not two. */
const TEN = '+10'

/** The pool that the others are measured beside. */
export const SUBJECT = 'wellpool'

/** All contenders, in the order of the tables. */
export const CONTENDERS: readonly string[] = Object.keys(POOLS).flatMap((name) =>
  name === SUBJECT ? [name, `${name}${ONCE}`, `${name}${TEN}`] : [name, `${name}${RETRY}`],
)

/** Whether it is a pool as its users know it best, without a wrapper. */
export function isPlain(contender: string): boolean {
  return contender === poolOf(contender)
}

/** Whether it differs where connects take long, and is measured there alone. */
export const isForSlowConnects = (contender: string): boolean => contender.endsWith(TEN)

/** A contender's pool, without its wrapper. */
export function poolOf(contender: string): string {
  return contender.replace(/\+.*$/, '')
}

/** Loads one pool and nothing else, and makes it. It connects when it is used. */
export async function openPool(
  contender: string,
  address: Address,
): Promise<Pick<OpenedPool, 'trace'> & { request(sql: string): Promise<unknown> }> {
  const open = POOLS[poolOf(contender)]
  if (open === undefined) throw new Error(`no pool is called ${contender}`)
  const pool = await open(address, contender)
  const once = (sql: string): Promise<unknown> => pool.request(sql, !contender.endsWith(ONCE))
  return { ...pool, request: contender.endsWith(RETRY) ? (sql) => once(sql).catch(() => once(sql)) : once }
}
