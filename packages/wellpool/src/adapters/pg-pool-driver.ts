import type { Socket } from 'node:net'
import type pg from 'pg'
import { postgresFrom } from '../drivers/postgres.ts'
import type { Driver } from '../engine/driver.ts'
import type { ResolvedPgPoolOptions } from './pg-pool-options.ts'

/** How long a socket is idle before TCP asks whether the peer is alive, ms. pg leaves that off. */
const KEEP_ALIVE_DELAY = 30_000

/** What pg's client has inside and pg-pool looks at as well. */
export interface PgClientInternals {
  /** Whether `end` was called. */
  readonly _ending?: boolean
  /** Whether it may still be asked. */
  readonly _queryable?: boolean
  /** Whether the server has answered everything and no query waits. */
  readonly readyForQuery?: boolean
}

/** Who hears of clients. */
export interface PgPoolEar {
  /** A client is connected; what is done with it now comes before whatever its first borrower does. */
  connected(client: pg.Client): void
  /** The socket of a client that was told of is closed. */
  removed(client: pg.Client): void
  /** A client was lost. */
  lost(client: pg.Client, error: unknown): void
}

/** The driver underneath, which makes its clients as pg-pool does, tells of them, and keeps why a connect failed. */
export interface PgPoolDriver extends Driver<pg.Client> {
  /** What the latest connect that failed failed with, if that was not that its time was up. */
  readonly connectFailure: unknown
}

/** @param create makes a client that has not been connected */
export function pgPoolDriver(options: ResolvedPgPoolOptions, create: () => pg.Client, ear: PgPoolEar): PgPoolDriver {
  const driver = postgresFrom(create, {
    onConnect: (client) => setUp(client, options, ear),
  })
  let connectFailure: unknown
  return {
    ...driver,
    get connectFailure() {
      return connectFailure
    },
    async connect(context) {
      try {
        return await driver.connect(context)
      } catch (error) {
        if (!context.signal.aborted) connectFailure = error
        throw error
      }
    },
    watch(client, watcher) {
      driver.watch?.(client, {
        ...watcher,
        lost: (error) => {
          watcher.lost(error)
          ear.lost(client, error)
        },
      })
    },
  }
}

/** Whatever an application wants done to a client before anybody gets it. */
async function setUp(client: pg.Client, options: ResolvedPgPoolOptions, ear: PgPoolEar): Promise<void> {
  if (options.keepAlive === undefined) (client.connection.stream as Socket).setKeepAlive?.(true, KEEP_ALIVE_DELAY)
  await options.onConnect?.(client)
  client.once('end', () => ear.removed(client))
  ear.connected(client)
  // Listeners can't be waited for, but what they have sent can be: it belongs to the set-up, and a LISTEN among it
  // stays when a borrower's is undone.
  if ((client as unknown as PgClientInternals).readyForQuery === false) await client.query('')
  const { verify } = options
  if (verify === undefined) return
  await new Promise<void>((resolve, reject) => {
    verify(client as pg.PoolClient, (error) => (error ? reject(error) : resolve()))
  })
}
