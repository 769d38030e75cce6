import { serverUrl, startServer } from '../src/postgres-server.ts'
import type { Sample, Workload } from '../src/workload.ts'

/** So many are made. */
const REBUILDS = 3_000
const CONNECTIONS = 20
const CALLERS = 8
/** Between two requests of a caller, ms: there is traffic, and the machine's time is left for connects. */
const REST_MS = 5

/** Rebuilds of a pool in use, one sweep after the other, while nothing is wrong with the endpoint. */
export const rebuilds: Workload = {
  name: 'rebuilds',
  title: 'rebuilds while the endpoint is up',
  rounds: 1,
  contenders: ['wellpool'],
  metrics: [],
  targets: [],
  prepare: startServer,
  async run(): Promise<Sample> {
    const [{ createPool, RebuildFailedError }, { postgres }] = await Promise.all([import('wellpool'), import('wellpool/postgres')])
    const size = { minConnections: CONNECTIONS, maxConnections: CONNECTIONS }
    const pool = createPool(postgres({ connectionString: serverUrl() }), { ...size, rebuildBatchDelay: 0 })
    await pool.start()
    const startedAt = performance.now()
    const figures = { made: 0, failed: 0, requests: 0, 'failed requests': 0 }
    let over = false
    const call = async (): Promise<void> => {
      while (!over) {
        figures.requests++
        await pool.use((client) => client.query('select 1')).catch(() => figures['failed requests']++)
        await new Promise((resolve) => setTimeout(resolve, REST_MS))
      }
    }
    const callers = Array.from({ length: CALLERS }, call)
    while (figures.made < REBUILDS) {
      const { total, failed } = await pool.rebuildConnections({ all: true }).catch((error: unknown) => {
        if (error instanceof RebuildFailedError) return error.result
        throw error
      })
      figures.made += total
      figures.failed += failed
    }
    over = true
    await Promise.all(callers)
    await pool.close()
    return { ...figures, seconds: (performance.now() - startedAt) / 1000 }
  },
}
