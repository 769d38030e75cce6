import { canStartPostgres } from '@wellpool/servers'
import { inject } from 'vitest'
import { describeIf } from './describe-if.ts'

export { type PostgresServer, type PostgresServerOptions, startPostgres } from '@wellpool/servers'

interface Answer {
  readonly url?: string
  /** Why there is no server; that one was found which does not work is an error. */
  readonly missing?: string
  readonly error?: string
}

/**
 * Declares tests on the server that the whole run shares, with an empty database for this call alone. Where no
 * server can be had they are reported as not run; on a CI machine that is a failure.
 *
 * @param declare is given the database's address.
 */
export async function describePostgres(name: string, declare: (url: string) => void): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${inject('databasePort')}/`)
  const { url, missing, error } = (await response.json()) as Answer
  if (error !== undefined) throw new Error(error)
  describeIf(missing, name, () => declare(url ?? ''))
}

/** Declares tests that start servers of their own, with {@link startPostgres}, to stop and restart them. */
export async function describeOwnPostgres(name: string, declare: () => void | Promise<void>): Promise<void> {
  describeIf(
    (await canStartPostgres()) ? undefined : 'no PostgreSQL to start: npm has none for this platform, and none is installed',
    name,
    declare,
  )
}
