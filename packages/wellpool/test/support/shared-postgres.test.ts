import { afterEach, expect, it, vi } from 'vitest'
import { describeOwnPostgres, startPostgres } from './postgres.ts'
import { SharedPostgres } from './shared-postgres.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

await describeOwnPostgres('a server that several runs share', () => {
  it('has a database for each, though their processes have the same id', async () => {
    await using server = await startPostgres()
    vi.stubEnv('WELLPOOL_TEST_POSTGRES_URL', server.url)
    const runs = [new SharedPostgres(), new SharedPostgres()]
    const urls = await Promise.all(runs.map((run) => run.createDatabase()))
    expect(new Set(urls).size).toBe(2)
    await Promise.all(runs.map((run) => run.close()))
  })
})
