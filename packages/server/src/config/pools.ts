import { createHash } from 'node:crypto'
import { ConfigError, createPools, type Driver, defineDriver, type PoolOptions } from 'wellpool'
import type { ExecuteRules, PoolConfig } from './config.ts'
import type { Path } from './document.ts'
import { driverEntry, ONLY_IN_CODE, PROTOCOLS } from './drivers.ts'
import { executeRules } from './execute-rules.ts'
import { inFileNames, toCamelCase, toSnakeCase, unknownName, withoutFunctions } from './names.ts'
import { driverSchema, POOL_NAMES, POOL_ONLY_IN_CODE, POOL_OPTIONS } from './schema.ts'
import { showKind } from './section-check.ts'
import type { PathProblem } from './substitute.ts'
import { toOptions } from './to-options.ts'

/** What the parts of the loader share. */
export interface Loading {
  readonly references: ReadonlyMap<string, string>
  readonly problems: PathProblem[]
}

const OPTION_NAMES = new Set(Object.keys(POOL_OPTIONS).map(toCamelCase))

/** Judges options alone: a pool over it is never started. */
const NO_DRIVER: Driver<unknown> = defineDriver<unknown>({
  protocol: 'none',
  connect: () => Promise.reject(new Error('bug: a pool that was made to judge options was started')),
  check() {},
  close() {},
  destroy() {},
})

/** The options of pools in a mapping, as code gives them. What is none is left out. */
export function readPoolOptions(values: Readonly<Record<string, unknown>>, path: Path, { references }: Loading): PoolOptions {
  const options: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(POOL_OPTIONS)) {
    if (Object.hasOwn(values, name)) options[toCamelCase(name)] = toOptions(values[name], schema, [...path, name], references)
  }
  return options
}

/** Reports what the pools themselves would refuse of options for all. @returns the others */
export function checkDefaults(defaults: PoolOptions, loading: Loading): PoolOptions {
  const wrong = new Set(judge('defaults', NO_DRIVER, defaults).map(({ path }) => path))
  for (const { path, given, allowed } of judge('defaults', NO_DRIVER, defaults)) {
    loading.problems.push({ path: toFilePath(path), given, allowed: inFileNames(allowed, OPTION_NAMES) })
  }
  const kept = Object.entries(defaults).filter(([name]) => ![...wrong].some((path) => path.split('.')[0] === name))
  return Object.fromEntries(kept)
}

/** @returns the pool, unless something of it is wrong */
export async function readPool(name: string, values: unknown, defaults: PoolOptions, loading: Loading): Promise<PoolConfig | undefined> {
  const { problems } = loading
  const path: Path = ['pools', name]
  if (!isMapping(values)) {
    problems.push({ path, given: showKind(values), allowed: `a mapping with the protocol (${PROTOCOLS.join(', ')}) and options` })
    return undefined
  }
  const unknown = Object.keys(values).filter((key) => !POOL_NAMES.includes(key))
  const inCode = unknown.filter((key) => ONLY_IN_CODE.includes(key))
  for (const key of unknown) problems.push({ path: [...path, key], ...unknownInPool(key, values[key]) })
  const options = mergeOptions(defaults, readPoolOptions(values, path, loading))
  const present = PROTOCOLS.filter((protocol) => Object.hasOwn(values, protocol))
  const [protocol] = present
  const driver = protocol === undefined || present.length > 1 ? undefined : await readDriver(protocol, values[protocol], path, loading)
  if (present.length > 1 || (present.length === 0 && inCode.length === 0)) {
    problems.push({ path, given: present.length === 0 ? 'no protocol' : present.join(' and '), allowed: `one of ${PROTOCOLS.join(', ')}` })
  }
  for (const problem of judge(name, driver ?? NO_DRIVER, options)) {
    const inPool = [...path, ...toFilePath(problem.path)]
    problems.push({ path: inPool, given: problem.given, allowed: inFileNames(problem.allowed, OPTION_NAMES) })
  }
  const execute = readExecute(values, protocol, path, loading)
  if (driver === undefined || protocol === undefined) return undefined
  return { name, protocol, driver, options, execute, driverFingerprint: fingerprint(protocol, values[protocol]) }
}

/** What is wrong with a name that a pool can't have in a file. */
function unknownInPool(name: string, value: unknown): Pick<PathProblem, 'given' | 'allowed'> {
  if (ONLY_IN_CODE.includes(name))
    return { given: 'a driver that is made of functions', allowed: `${PROTOCOLS.join(', ')}; pools over ${name} are made in code` }
  // `protocol: redis`, where the protocol is the name under which its options stand.
  const meant = PROTOCOLS.find((protocol) => protocol === value)
  if (meant !== undefined) return { given: 'an unknown option', allowed: `${meant}: and its options` }
  return unknownName(name, POOL_NAMES, POOL_ONLY_IN_CODE)
}

function readExecute(
  values: Record<string, unknown>,
  protocol: string | undefined,
  path: Path,
  loading: Loading,
): ExecuteRules | undefined {
  if (values.execute === undefined) return undefined
  return executeRules(values.execute, protocol, [...path, 'execute'], loading)
}

async function readDriver(
  protocol: string,
  values: unknown,
  around: Path,
  { references, problems }: Loading,
): Promise<Driver<unknown> | undefined> {
  const entry = driverEntry(protocol)
  const path: Path = [...around, protocol]
  const schema = driverSchema(protocol)
  const known = Object.keys(schema.properties ?? {})
  if (entry === undefined) throw new Error(`bug: no driver for ${protocol}`)
  const given = typeof values === 'string' && entry.address !== undefined ? { [toSnakeCase(entry.address)]: values } : (values ?? {})
  if (!isMapping(given)) {
    problems.push({ path, given: showKind(given), allowed: `a mapping with options of the driver: ${known.join(', ')}` })
    return undefined
  }
  const unknown = Object.keys(given).filter((name) => !known.includes(name))
  for (const name of unknown) problems.push({ path: [...path, name], ...unknownName(name, known, schema.onlyInCode) })
  const options = toOptions(given, schema, path, references) as Record<string, unknown>
  for (const name of unknown) delete options[toCamelCase(name)]
  try {
    const create = await entry.load()
    const driver = create(options as never) as Driver<unknown>
    return unknown.length === 0 ? driver : undefined
  } catch (error) {
    const names = new Set(known.map(toCamelCase))
    if (error instanceof ConfigError) {
      for (const problem of error.problems) {
        // The address may stand alone, under the protocol's name.
        const inner = typeof values === 'string' ? [] : toFilePath(problem.path === 'options' ? '' : problem.path)
        const allowed = inFileNames(withoutFunctions(problem.allowed), names)
        problems.push({ path: [...path, ...inner], given: inFileNames(problem.given, names), allowed })
      }
    } else if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND' && entry.client !== undefined) {
      problems.push({
        path,
        given: `${protocol}, whose client library is not installed`,
        allowed: `${protocol} after: npm install ${entry.client}`,
      })
    } else {
      throw error
    }
    return undefined
  }
}

/** What a pool of this name with these options would be refused for. */
function judge(name: string, driver: Driver<unknown>, options: PoolOptions): readonly { path: string; given: string; allowed: string }[] {
  try {
    createPools({}).add(name, driver, options)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map((problem) => ({ ...problem, path: problem.path === name ? '' : problem.path.slice(name.length + 1) }))
  }
}

function mergeOptions(defaults: PoolOptions, own: PoolOptions): PoolOptions {
  const backoff = isMapping(defaults.backoff) && isMapping(own.backoff) ? { backoff: { ...defaults.backoff, ...own.backoff } } : {}
  return { ...defaults, ...own, ...backoff }
}

const toFilePath = (path: string): string[] => (path === '' ? [] : path.split('.').map(toSnakeCase))

export function isMapping(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function fingerprint(protocol: string, values: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([protocol, values]))
    .digest('hex')
}
