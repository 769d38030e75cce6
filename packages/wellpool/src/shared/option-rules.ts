import { parseDuration } from '../engine/duration.ts'
import { ConfigError, type ConfigProblem } from '../engine/errors.ts'

/** What one option may be. */
export interface OptionRule {
  readonly fits: (value: unknown) => boolean
  /** In words, as they stand behind "allowed:". */
  readonly allowed: string
  /** Whether the value must not be shown, however wrong it is. */
  readonly secret?: boolean
}

/** One rule for each option. */
export type OptionRules<Options> = Readonly<Record<keyof Options, OptionRule>>

/** The longest delay that Node's timers and the servers' time-outs take, ms. */
const MAX_DURATION_MS = 2 ** 31 - 1

export const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

const isWholeNumber = (value: unknown, min: number, max: number): boolean =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max

export const text: OptionRule = { fits: (value) => typeof value === 'string' && value !== '', allowed: 'a text that is not empty' }
export const flag: OptionRule = { fits: (value) => typeof value === 'boolean', allowed: 'true or false' }
export const callback: OptionRule = { fits: (value) => typeof value === 'function', allowed: 'a function' }
export const port: OptionRule = { fits: (value) => isWholeNumber(value, 1, 65_535), allowed: 'a whole number from 1 to 65535' }
export const password: OptionRule = {
  fits: (value) => typeof value === 'string' || typeof value === 'function',
  allowed: 'a text or a function',
  secret: true,
}
export const tls: OptionRule = {
  fits: (value) => typeof value === 'boolean' || isObject(value),
  allowed: 'true, false or an object with options for TLS',
}

export const wholeNumber = (min: number, max = Number.MAX_SAFE_INTEGER): OptionRule => ({
  fits: (value) => isWholeNumber(value, min, max),
  allowed: max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`,
})

export const choice = (...values: readonly string[]): OptionRule => ({
  fits: (value) => typeof value === 'string' && values.includes(value),
  allowed: values.map((value) => `'${value}'`).join(' or '),
})

/** @param min in ms */
export const duration = (min: number): OptionRule => ({
  fits: (value) => {
    const ms = toMs(value)
    return ms !== undefined && ms >= min && ms <= MAX_DURATION_MS
  },
  allowed: `a duration (ms, or text such as '30s') from ${min} ms up to 24 days`,
})

/**
 * All that is wrong with options, each by itself; empty if nothing is. Options that are undefined are not given.
 *
 * @param path what stands before an option's name (`'tls.'`)
 */
export function findProblems<Options>(options: unknown, rules: OptionRules<Options>, path = ''): ConfigProblem[] {
  if (!isObject(options))
    return [{ path: path.slice(0, -1) || 'options', given: typeof options === 'string' ? 'a text' : show(options), allowed: 'an object' }]
  const problems: ConfigProblem[] = []
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    const rule = Object.hasOwn(rules, name) ? rules[name as keyof Options] : undefined
    if (rule === undefined) problems.push({ path: path + name, given: 'an unknown option', allowed: Object.keys(rules).join(', ') })
    else if (!rule.fits(value))
      problems.push({ path: path + name, given: rule.secret === true ? describe(value) : show(value), allowed: rule.allowed })
  }
  return problems
}

/**
 * For options of which each is checked where it is used.
 *
 * @throws ConfigError naming every name that is none of these
 */
export function refuseUnknown(options: unknown, names: readonly string[]): void {
  const anything: OptionRule = { fits: () => true, allowed: '' }
  const problems = findProblems(options, Object.fromEntries(names.map((name) => [name, anything])))
  if (problems.length > 0) throw new ConfigError(problems)
}

/** Whole milliseconds, rounded up; undefined when the value is none. */
export function toMs(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? parseDuration(value) : value
  return typeof ms === 'number' && !Number.isNaN(ms) ? Math.ceil(ms) : undefined
}

/** Without what is undefined: client libraries take a property that is there for one that is given. */
export function defined<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

/** A value as people would write it. Not for secrets. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : describe(value)
}

/** Says what kind of value it is, and nothing of the value. */
export function describe(value: unknown): string {
  if (value === '') return 'an empty text'
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  const type = typeof value
  return type === 'string' ? 'a text' : `${type === 'object' ? 'an' : 'a'} ${type}`
}
