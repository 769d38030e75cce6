import { EventEmitter } from 'node:events'
import type pg from 'pg'
import { createPool, type Lease, type Pool as WellpoolPool } from '../index.ts'
import { type PgClientInternals, type PgPoolDriver, pgPoolDriver } from './pg-pool-driver.ts'
import { MESSAGES, toPgPoolError } from './pg-pool-errors.ts'
import { clientClass, completeOptions, type PgPoolOptions, type ResolvedPgPoolOptions, toPoolOptions } from './pg-pool-options.ts'
import { answer, type Deliver } from './pg-pool-promise.ts'

export { type BorrowingClient, clientFrom } from './pg-pool-client.ts'
export type { PgPoolOptions, ResolvedPgPoolOptions } from './pg-pool-options.ts'

type ConnectCallback = (error: Error | undefined, client: pg.PoolClient | undefined, done: (release?: unknown) => void) => void
/** What pg takes a row for that nobody has described. */
type Row = pg.QueryResult['rows'][number]
type QueryCallback<Result> = (error: Error, result: Result) => void
/** A client as pg's declarations have it, from whose point of view one that was not borrowed has no `release`. */
type Borrowed = pg.PoolClient & PgClientInternals

/**
 * Stands where `pg.Pool` of pg-pool 3 stands, with Wellpool's pool underneath: connections that are found out before
 * they are handed out, and rebuilt. Options, methods, events, counters and messages are pg-pool's; `docs/migrating.md`
 * lists what is different.
 *
 * @example
 * import { Pool } from 'wellpool/pg-pool'
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 20 })
 * const { rows } = await pool.query('select now()')
 */
export class Pool extends EventEmitter {
  /** Complete, as in pg-pool; to change them has no effect. Whoever wants to uses `pool.wellpool.reconfigure()`. */
  options: ResolvedPgPoolOptions
  /** Whether `end` was called. */
  ending = false
  /** Whether all clients are closed after that. */
  ended = false
  /** The pool underneath: its health, its rebuilds, its events and figures. */
  readonly wellpool: WellpoolPool<pg.Client>
  /** The class of the clients. One that is put in its place is that of the clients that are made from then on. */
  Client: typeof pg.Client
  /** The class of the promises that methods return. */
  readonly Promise: PromiseConstructor
  /** The option `log`, or a function that does nothing. */
  readonly log: NonNullable<PgPoolOptions['log']>
  readonly #driver: PgPoolDriver
  readonly #borrowed = new Set<pg.Client>()
  /** The errors that queries of the pool's own have ended with. */
  readonly #ofQuery = new WeakSet<object>()

  /**
   * @param Client the class of the clients, unless the options name one; default `pg.Client`
   * @throws ConfigError naming every number among the options that is none, and what `wellpool` has that is wrong
   */
  constructor(options?: PgPoolOptions, Client?: unknown) {
    super()
    this.options = completeOptions(options)
    this.Promise = (this.options.Promise as PromiseConstructor | undefined) ?? Promise
    this.Client = clientClass(this.options, Client)
    this.log = this.options.log ?? (() => {})
    this.#driver = pgPoolDriver(this.options, () => new this.Client(this.options), {
      connected: (client) => void this.emit('connect', client),
      removed: (client) => void this.emit('remove', client),
      lost: (client, error) => this.#lostIdle(client, error),
    })
    this.wellpool = createPool(this.#driver, toPoolOptions(this.options))
  }

  /** Clients that are connected or being connected, those among them that are in use and have been replaced included. */
  get totalCount(): number {
    const { total, connecting, retired } = this.wellpool.stats()
    return total + connecting + retired
  }

  /** Clients that nobody has, those among them that are just being checked included. */
  get idleCount(): number {
    const { idle, checking } = this.wellpool.stats()
    return idle + checking
  }

  /** Borrowers that wait and for whom no client is being connected. */
  get waitingCount(): number {
    const { waiting, connecting } = this.wellpool.stats()
    return Math.max(0, waiting - connecting)
  }

  /** Clients in use that nobody gets after that: too old, or replaced already. */
  get expiredCount(): number {
    const expired = this.wellpool.connections().filter(({ state, mark }) => state === 'acquired' && mark?.kind === 'max_lifetime')
    return expired.length + this.wellpool.stats().retired
  }

  /**
   * Borrows a client. It is the caller's until `client.release()`, or `done()`; given an error or `true` these have
   * it closed.
   *
   * @throws the error of the client that could not be connected; `timeout exceeded when trying to connect` when none
   *   was free within `connectionTimeoutMillis`, `Connection terminated due to connection timeout` when none could be
   *   connected in that time, both with the pool's own error as cause; `Cannot use a pool after calling end on the pool`
   */
  connect(): Promise<pg.PoolClient>
  connect(callback: ConnectCallback): void
  connect(callback?: ConnectCallback): Promise<pg.PoolClient> | undefined {
    if (this.ending) return this.#refuse(new Error(MESSAGES.afterEnd), callback)
    const { deliver, result } = answer<[client: pg.PoolClient | undefined, done: (release?: unknown) => void]>(this.Promise, callback)
    // In a turn of its own: what a callback or a listener throws is the application's, and not the pool's to catch.
    const hand = (lease: Lease<pg.Client>): void => process.nextTick(() => this.#hand(lease, deliver))
    const lease = this.wellpool.tryAcquire()
    if (lease !== undefined) {
      hand(lease)
    } else {
      this.wellpool.acquire().then(hand, (error: unknown) => {
        const { maxConnections = this.options.max } = this.wellpool.options
        const known = toPgPoolError(error, maxConnections, this.#driver.connectFailure)
        process.nextTick(deliver, known, undefined, () => {})
      })
    }
    return result as Promise<pg.PoolClient> | undefined
  }

  /**
   * Runs one query on whichever client is free. An error that the server answers with leaves the client in the pool;
   * after any other it is closed.
   *
   * @throws as {@link Pool.connect}, and what the query ends with
   */
  query<T extends pg.Submittable>(queryStream: T): T
  query<R extends unknown[] = Row[], I = unknown[]>(
    queryConfig: pg.QueryArrayConfig<I>,
    values?: pg.QueryConfigValues<I>,
  ): Promise<pg.QueryArrayResult<R>>
  query<R extends pg.QueryResultRow = Row, I = unknown[]>(queryConfig: pg.QueryConfig<I>): Promise<pg.QueryResult<R>>
  query<R extends pg.QueryResultRow = Row, I = unknown[]>(
    queryTextOrConfig: string | pg.QueryConfig<I>,
    values?: pg.QueryConfigValues<I>,
  ): Promise<pg.QueryResult<R>>
  query<R extends unknown[] = Row[], I = unknown[]>(
    queryConfig: pg.QueryArrayConfig<I>,
    callback: QueryCallback<pg.QueryArrayResult<R>>,
  ): void
  query<R extends pg.QueryResultRow = Row, I = unknown[]>(
    queryTextOrConfig: string | pg.QueryConfig<I>,
    callback: QueryCallback<pg.QueryResult<R>>,
  ): void
  query<R extends pg.QueryResultRow = Row, I = unknown[]>(
    queryText: string,
    values: pg.QueryConfigValues<I>,
    callback: QueryCallback<pg.QueryResult<R>>,
  ): void
  query(text: unknown, given?: unknown, callbackAfterValues?: unknown): unknown {
    if (typeof text === 'function') {
      const { deliver, result } = answer(this.Promise, text)
      setImmediate(() => deliver(new Error(MESSAGES.functionFirst)))
      return result
    }
    const [values, callback] = typeof given === 'function' ? [undefined, given] : [given, callbackAfterValues]
    const { deliver, result } = answer<[result?: unknown]>(this.Promise, callback)
    this.connect((error, client) => {
      if (client === undefined) deliver(error)
      else this.#queryOn(client, text, values, deliver)
    })
    return result
  }

  /**
   * Refuses new borrowers, serves those who wait, waits until all clients have been released, and closes them.
   *
   * @throws `Called end on pool more than once`
   */
  end(): Promise<void>
  end(callback: () => void): void
  end(callback?: (error?: Error) => void): Promise<void> | undefined {
    if (this.ending) return this.#refuse(new Error(MESSAGES.endedTwice), callback)
    this.ending = true
    const { deliver, result } = answer<[]>(this.Promise, callback)
    void this.wellpool.drain({ timeout: Number.POSITIVE_INFINITY }).then(() => {
      this.ended = true
      process.nextTick(deliver)
    })
    return result
  }

  #refuse(error: Error, callback: unknown): Promise<never> | undefined {
    if (!callback) return this.Promise.reject(error)
    ;(callback as (error: Error) => void)(error)
    return undefined
  }

  #hand(lease: Lease<pg.Client>, deliver: Deliver<[client: pg.PoolClient, done: (release?: unknown) => void]>): void {
    const client = lease.client as Borrowed
    let released = false
    const release = (error?: unknown): void => {
      if (released) throw new Error(MESSAGES.releasedTwice)
      released = true
      this.#borrowed.delete(client)
      this.emit('release', error, client)
      this.#takeBack(lease, error)
    }
    client.release = release
    this.#borrowed.add(client)
    this.emit('acquire', client)
    deliver(undefined, client, release)
  }

  #takeBack(lease: Lease<pg.Client>, error: unknown): void {
    const { _ending, _queryable } = lease.client as Borrowed
    if (!error) {
      if (_ending === true || _queryable === false) lease.discard()
      else lease.release()
      return
    }
    const meaning = error === true ? 'transient' : this.#driver.classify?.(error)
    // Whoever releases a client with an error wants it closed. When it was a query of the pool's own, an error that
    // the server has answered with says that the client is well.
    const isWell = meaning === 'application' && this.#ofQuery.has(error as object)
    if (meaning === 'fatal' || isWell) lease.release(error)
    else lease.discard()
  }

  #queryOn(client: pg.PoolClient, text: unknown, values: unknown, deliver: Deliver<[result?: unknown]>): void {
    let over = false
    const end = (error?: unknown, result?: unknown): void => {
      if (over) return
      over = true
      client.removeListener('error', end)
      if (error instanceof Error) this.#ofQuery.add(error)
      client.release(error as Error | undefined)
      if (error) deliver(error)
      else deliver(undefined, result)
    }
    client.once('error', end)
    try {
      client.query(text as string, values as unknown[], end)
    } catch (error) {
      end(error)
    }
  }

  /** As pg-pool tells of a client that nobody has. Unlike there, nobody has to listen. */
  #lostIdle(client: pg.Client, error: unknown): void {
    if (this.#borrowed.has(client) || this.listenerCount('error') === 0) return
    if (error instanceof Error) Object.assign(error, { client })
    this.emit('error', error, client)
  }
}
