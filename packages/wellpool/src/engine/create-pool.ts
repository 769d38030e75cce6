import type { Driver } from './driver.ts'
import { ConfigError, type ConfigProblem } from './errors.ts'
import type { PoolOptions } from './options.ts'
import { Pool } from './pool.ts'
import { COUNT_OR_INFINITY, describe, isObject, problem, resolveOptions } from './resolve-options.ts'

let unnamed = 0

/**
 * Makes a pool. It opens no connection yet: that begins with `start()` or the first acquire.
 *
 * @param driver what knows the protocol; see {@link Driver}
 * @param options override the driver's `defaults` and the built-in ones
 * @throws INVALID_CONFIG naming everything that is wrong with options and driver
 *
 * @example
 * const db = createPool(postgres({ connectionString }), { name: 'orders', maxConnections: 10 })
 * const { rows } = await db.use((client) => client.query('select 1'))
 */
export function createPool<Client>(driver: Driver<Client>, options: PoolOptions = {}): Pool<Client> {
  const problems = driverProblems(driver, '')
  if (problems.length > 0) throw new ConfigError(problems)
  const layers = [driver.defaults ?? {}, options]
  const resolved = resolveOptions(layers, `${driver.protocol}-pool-${unnamed + 1}`)
  if (options?.name === undefined) unnamed++
  return new Pool(driver, layers, resolved)
}

/** What makes an object unfit to be a driver. */
export function driverProblems(driver: unknown, path: string): ConfigProblem[] {
  if (!isObject(driver)) return [problem(`${path}driver`, describe(driver), 'an object with protocol, connect, check, close and destroy')]
  const problems: ConfigProblem[] = []
  const wrong = (key: string, allowed: string, given: string = typeof driver[key]): void => {
    problems.push(problem(`${path}driver.${key}`, given, allowed))
  }
  if (typeof driver.protocol !== 'string' || driver.protocol === '') wrong('protocol', 'a text that is not empty')
  for (const key of ['connect', 'check', 'close', 'destroy']) if (typeof driver[key] !== 'function') wrong(key, 'a function')
  for (const key of ['reset', 'watch', 'ref', 'unref', 'secondOpinion', 'mayAskAbout', 'classify', 'secrets']) {
    if (driver[key] !== undefined && typeof driver[key] !== 'function') wrong(key, 'a function, or absent')
  }
  const leases = driver.maxLeasesPerConnection
  const { allowed, read } = COUNT_OR_INFINITY
  if (leases !== undefined && read(leases) === undefined) wrong('maxLeasesPerConnection', allowed, String(leases))
  return problems
}
