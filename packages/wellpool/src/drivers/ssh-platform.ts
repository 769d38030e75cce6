import { ConfigError, type ConfigProblem } from '../engine/errors.ts'
import { findProblems, isObject, type OptionRule, type OptionRules, text } from '../shared/option-rules.ts'

/** One level of privilege of a CLI: what its prompt looks like, and how one gets there and back. */
export interface CliLevel {
  /** `exec`, `enable`, `config`, or a name of one's own. */
  readonly name: string
  /**
   * Matches the whole line of the prompt, without blanks at its end. Its group `base` is what all levels have in
   * common, as a rule the device's name: a line of output that looks like a prompt has another one.
   */
  readonly prompt: RegExp
  /** Whether the group `base` may hold more than the name behind it, or a name that is cut short. Default false. */
  readonly loose?: boolean
  /** The command that leads here from the level before. The first level has none. */
  readonly enter?: string
  /** The question for the secret that may follow it. */
  readonly secret?: RegExp
  /** The command that leads back to the level before. */
  readonly leave?: string
  /** Gives this level a prompt of its own, with this base, where the usual one can't be told from output. */
  readonly fixPrompt?: { readonly send: string; readonly base: string }
}

/** A kind of device, as data: how to talk to its CLI. */
export interface CliPlatform {
  /** How errors and the documentation call it. */
  readonly name: string
  /** From the lowest up. */
  readonly levels: readonly CliLevel[]
  /** What some devices ask before their first prompt, and the answer. */
  readonly greetings?: readonly { readonly expect: RegExp; readonly send: string }[]
  /** Commands sent when the prompt is known: no paging, wide lines. A device that does not know one of them may say so. */
  readonly prepare?: readonly string[]
  /** Raises the privileges without another prompt, if an enable secret is given (Huawei's `super`). */
  readonly elevate?: { readonly send: string; readonly secret: RegExp }
  /** What stands in the last line when the device waits for the reader. It is answered by a blank. */
  readonly pager?: RegExp
  /** Lines that say that a command has failed. */
  readonly errors: readonly RegExp[]
  /** A command that does no harm and is answered at once, for checks. `''`: an empty line. */
  readonly health: string
  /** The level in which the configuration is changed. Default `config`. */
  readonly configLevel?: string
  /** The command that puts a changed configuration into force, where it is not at once; `when` looks at the prompt before. */
  readonly commit?: { readonly send: string; readonly when?: RegExp }
  /** Commands that throw away what has not been committed. They are sent in the config level; if they do not leave it, it is left after them. */
  readonly discard?: readonly string[]
  /** Lines of configuration that change the device's name, and so its prompt. */
  readonly renames?: RegExp
  /** Lines that belong to the prompt and not to the output before it. */
  readonly noise?: RegExp
}

const isList = (fits: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(fits)
const isPattern = (value: unknown): boolean => value instanceof RegExp && !value.global && !value.sticky
const isText = (value: unknown): boolean => typeof value === 'string'

const pattern: OptionRule = { fits: isPattern, allowed: 'a regular expression without the flags g and y' }
const texts: OptionRule = { fits: isList(isText), allowed: 'a list of texts' }
const flag: OptionRule = { fits: (value) => typeof value === 'boolean', allowed: 'true or false' }

const LEVEL_RULES: OptionRules<CliLevel> = {
  name: text,
  prompt: {
    fits: (value) => isPattern(value) && (value as RegExp).source.includes('(?<base>'),
    allowed: 'a regular expression with a group (?<base>…), without the flags g and y',
  },
  loose: flag,
  enter: text,
  secret: pattern,
  leave: text,
  fixPrompt: { fits: (value) => isObject(value) && isText(value.send) && isText(value.base), allowed: '{ send, base }' },
}

const RULES: OptionRules<CliPlatform> = {
  name: text,
  levels: {
    fits: (value) => Array.isArray(value) && value.length > 0 && value.every(isObject),
    allowed: 'a list of levels, the lowest first',
  },
  greetings: {
    fits: isList((value) => isObject(value) && isPattern(value.expect) && isText(value.send)),
    allowed: 'a list of { expect, send }',
  },
  prepare: texts,
  elevate: { fits: (value) => isObject(value) && isText(value.send) && isPattern(value.secret), allowed: '{ send, secret }' },
  pager: pattern,
  errors: { fits: isList(isPattern), allowed: 'a list of regular expressions' },
  health: { fits: isText, allowed: 'a text' },
  configLevel: text,
  commit: {
    fits: (value) => isObject(value) && isText(value.send) && (value.when === undefined || isPattern(value.when)),
    allowed: '{ send, when }',
  },
  discard: texts,
  renames: pattern,
  noise: pattern,
}

const REQUIRED = ['name', 'levels', 'errors', 'health'] as const

/**
 * Checks a platform of one's own, and returns it.
 *
 * @throws ConfigError when it is wrong: all that is, at once.
 * @example
 * const acme = definePlatform({
 *   ...platforms.cisco_iosxe,
 *   name: 'acme',
 *   prepare: ['no page'],
 *   health: 'show uptime',
 * })
 */
export function definePlatform(platform: CliPlatform): CliPlatform {
  const problems = findPlatformProblems(platform)
  if (problems.length > 0) throw new ConfigError(problems)
  return platform
}

/** All that is wrong with a platform; empty if nothing is. */
export function findPlatformProblems(platform: unknown, path = 'platform.'): ConfigProblem[] {
  const problems = findProblems(platform, RULES, path)
  if (!isObject(platform)) return problems
  for (const name of REQUIRED) {
    if (platform[name] === undefined) problems.push({ path: path + name, given: 'nothing', allowed: RULES[name].allowed })
  }
  if (!Array.isArray(platform.levels)) return problems
  const names = new Set<unknown>()
  for (const [index, level] of platform.levels.entries()) {
    const at = `${path}levels.${index}.`
    problems.push(...findProblems(level, LEVEL_RULES, at))
    if (!isObject(level)) continue
    if (level.name === undefined || names.has(level.name))
      problems.push({
        path: `${at}name`,
        given: level.name === undefined ? 'nothing' : 'a name that stands twice',
        allowed: 'a name of its own',
      })
    if (level.prompt === undefined) problems.push({ path: `${at}prompt`, given: 'nothing', allowed: LEVEL_RULES.prompt.allowed })
    if (index > 0 && level.enter === undefined)
      problems.push({ path: `${at}enter`, given: 'nothing', allowed: 'the command that leads here' })
    if (index > 0 && level.leave === undefined)
      problems.push({ path: `${at}leave`, given: 'nothing', allowed: 'the command that leads back' })
    names.add(level.name)
  }
  return problems
}
