import { EventEmitter } from 'node:events'
import pg from 'pg'
import type { Pool } from './pg-pool.ts'
import { answer } from './pg-pool-promise.ts'

/** What libraries that connect clients by themselves use of `pg.Client`. */
export interface BorrowingClient extends EventEmitter {
  /** Where the server's parameters would be heard of while connecting; they are known by then. */
  readonly connection: EventEmitter
  /** The server's process. */
  readonly processID: number | undefined
  /** Borrows a client, once. */
  connect(): Promise<BorrowingClient>
  connect(callback: (error: Error | null) => void): void
  query: pg.Client['query']
  escapeIdentifier: typeof pg.escapeIdentifier
  escapeLiteral: typeof pg.escapeLiteral
  getTypeParser: pg.Client['getTypeParser']
  /** Gives the client back; one that was lost is closed, and one that arrives later goes back at once. */
  end(): Promise<void>
  end(callback: (error?: Error) => void): void
}

/** Of the events of a borrowed client these reach whoever has it. */
const FORWARDED = ['error', 'end', 'notice', 'notification', 'drain'] as const

/**
 * A class that stands where `pg.Client` stands: its `connect` borrows from the pool, its `end` gives back. For
 * libraries that know clients and no pool, such as Sequelize, which takes it as `Client` of its `dialectModule`.
 *
 * Where to connect and as whom is the pool's to know: of the configuration that an instance is given only `types`,
 * how values are parsed, has a meaning.
 *
 * @example
 * const sequelize = new Sequelize({ dialect: 'postgres', dialectModule: { ...pg, Client: clientFrom(pool) }, pool: { maxUses: 1, validate: () => false } })
 */
export function clientFrom(pool: Pool): new (config?: string | pg.ClientConfig) => BorrowingClient {
  return class extends EventEmitter implements BorrowingClient {
    readonly connection = new EventEmitter()
    readonly escapeIdentifier = pg.escapeIdentifier
    readonly escapeLiteral = pg.escapeLiteral
    readonly #types: pg.CustomTypesConfig | undefined
    #client: pg.PoolClient | undefined
    #isAsked = false
    #isEnded = false
    #lost: Error | undefined
    readonly #listeners = FORWARDED.map((event) => ({
      event,
      listener: (...values: unknown[]): void => {
        if (event === 'error') this.#lost ??= values[0] as Error
        // Nobody has to listen: whoever asks something of a client that is lost is told so.
        if (event !== 'error' || this.listenerCount(event) > 0) this.emit(event, ...values)
      },
    }))

    constructor(config?: string | pg.ClientConfig) {
      super()
      this.#types = typeof config === 'object' ? config.types : undefined
    }

    get processID(): number | undefined {
      return (this.#client as { processID?: number } | undefined)?.processID
    }

    connect(): Promise<BorrowingClient>
    connect(callback: (error: Error | null) => void): void
    connect(callback?: (error: Error | null) => void): Promise<BorrowingClient> | undefined {
      const { deliver, result } = answer<[BorrowingClient]>(pool.Promise, callback)
      if (this.#isAsked) {
        // As with pg; and the client of the first call would never be given back.
        process.nextTick(deliver, new Error('Client has already been connected. You cannot reuse a client.'))
        return result
      }
      this.#isAsked = true
      pool.connect((error, client) => {
        if (client === undefined) return deliver(error, this)
        if (this.#isEnded) {
          client.release()
          return deliver(new Error('Connection terminated'), this)
        }
        this.#client = client
        for (const { event, listener } of this.#listeners) client.on(event, listener)
        deliver(null, this)
      })
      return result
    }

    readonly query = ((text: unknown, values?: unknown, callback?: unknown): unknown => {
      const client = this.#client
      if (client === undefined) throw new Error('the client is not connected: it has not been, or was given back')
      const isSubmittable = typeof (text as { submit?: unknown } | null)?.submit === 'function'
      const config = isSubmittable || this.#types === undefined ? text : { types: this.#types, ...asConfig(text) }
      return client.query(config as string, values as unknown[], callback as () => void)
    }) as pg.Client['query']

    readonly getTypeParser = ((...args: Parameters<pg.Client['getTypeParser']>): unknown =>
      (this.#types ?? this.#client ?? pg.types).getTypeParser(...args)) as pg.Client['getTypeParser']

    end(): Promise<void>
    end(callback: (error?: Error) => void): void
    end(callback?: (error?: Error) => void): Promise<void> | undefined {
      const { deliver, result } = answer<[]>(pool.Promise, callback)
      const client = this.#client
      this.#client = undefined
      this.#isEnded = true
      if (client !== undefined) {
        for (const { event, listener } of this.#listeners) client.removeListener(event, listener)
        client.release(this.#lost)
      }
      process.nextTick(() => {
        deliver()
        if (client !== undefined && this.#lost === undefined) this.emit('end')
      })
      return result
    }
  }
}

const asConfig = (text: unknown): object => (typeof text === 'string' ? { text } : Object(text))
