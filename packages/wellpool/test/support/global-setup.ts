import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { NoServerError } from '@wellpool/servers'
import type { TestProject } from 'vitest/node'
import { SharedPostgres } from './shared-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The port at which test files ask for databases. */
    readonly databasePort: number
  }
}

/**
 * One PostgreSQL server for a whole run of the tests, started when the first test file asks for a database; a run
 * without such files starts none. Test files run in processes of their own and ask over HTTP.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = new SharedPostgres()
  const broker = createServer((_, response) => {
    shared.createDatabase().then(
      (url) => response.end(JSON.stringify({ url })),
      (error: Error) => response.end(JSON.stringify({ [error instanceof NoServerError ? 'missing' : 'error']: error.message })),
    )
  })
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve))
  project.provide('databasePort', (broker.address() as AddressInfo).port)
  return async () => {
    broker.closeAllConnections()
    await new Promise((resolve) => broker.close(resolve))
    await shared.close()
  }
}
