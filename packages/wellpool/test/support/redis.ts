import { REDIS_PROGRAM, startRedis } from '@wellpool/servers'
import { afterAll } from 'vitest'
import { describeIf, describeWith } from './describe-if.ts'

/** The environment variable with the address of a server to use instead of one of our own. Its databases 0 to 4 are written to. */
const URL_VARIABLE = 'WELLPOOL_TEST_REDIS_URL'

/**
 * Declares tests on a Redis server that others may use at the same time. Where none can be had they are reported as
 * not run; on a CI machine that is a failure.
 *
 * @param declare is given the server's address.
 */
export async function describeRedis(name: string, declare: (url: string) => void | Promise<void>): Promise<void> {
  const external = process.env[URL_VARIABLE]
  if (external !== undefined && external !== '') {
    describeIf(undefined, name, () => declare(external))
    return
  }
  await describeWith([REDIS_PROGRAM], name, async () => {
    const server = await startRedis()
    afterAll(() => server.close())
    await declare(server.url)
  })
}
