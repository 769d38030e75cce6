import type { Surroundings } from './workload.ts'

/** The environment variable with the address of the server. */
const URL_VARIABLE = 'WELLPOOL_BENCH_POSTGRES'

/** Starts the server that all rounds are measured against. */
export async function startServer(): Promise<Surroundings> {
  const { startPostgres } = await import('@wellpool/servers')
  const server = await startPostgres()
  return { env: { [URL_VARIABLE]: server.url }, description: `PostgreSQL ${server.version}`, close: () => server.close() }
}

/** Its address, for a measuring process. */
export function serverUrl(): string {
  const url = process.env[URL_VARIABLE]
  if (url === undefined) throw new Error(`${URL_VARIABLE} is not set`)
  return url
}
