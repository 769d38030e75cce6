import type { Duration } from '../engine/duration.ts'
import type { ConfigProblem } from '../engine/errors.ts'
import { duration, findProblems, flag, isObject, type OptionRules, password, text, toMs, wholeNumber } from '../shared/option-rules.ts'
import type { Password } from '../shared/password.ts'
import { type CliPlatform, findPlatformProblems } from './ssh-platform.ts'
import { type PlatformName, platforms } from './ssh-platforms.ts'

/** How a CLI is opened and talked to. Durations are numbers of milliseconds or texts (`'30s'`). */
export interface CliOptions {
  /** What kind of device it is: a name that is known, or a platform of one's own (`definePlatform`). */
  platform: PlatformName | CliPlatform
  /** What the device asks for on the way to a higher level, or a function that is asked for it then. */
  enableSecret?: Password | undefined
  /**
   * The level in which commands are sent, and to which a reset returns: `exec`, `enable`, … Default: `enable` if
   * there is an `enableSecret` and the platform has that level; otherwise the one in which the device greets.
   */
  level?: string | undefined
  /** What stands in the device's prompt before its sign: `router-17`. Default: learnt from the device. */
  prompt?: string | undefined
  /** The longest that one command may take, and the opening as a whole. 0: for ever. Default 30 s. */
  timeout?: Duration | undefined
  /** The longest that a commit may take. 0: for ever. Default 2 min. */
  commitTimeout?: Duration | undefined
  /** For how long nothing must follow a prompt before it is taken for one. Default 30 ms. */
  settle?: Duration | undefined
  /** The most that one command may answer, bytes. Default 16 MiB. */
  maxOutput?: number | undefined
  /** How wide the terminal is, characters: 80 to 1000. Default 511, the widest that all of them take. */
  columns?: number | undefined
  /** Whether the device echoes what it is sent. Default true. */
  echo?: boolean | undefined
  /** What ends a line that is sent. Default `\n`. */
  newline?: '\n' | '\r' | '\r\n' | undefined
  /** How the device's text is to be read. Default `utf8`. */
  encoding?: BufferEncoding | undefined
  /** What checks send. `''`: an empty line, which is answered by a prompt. Default: the platform's health command. */
  healthCommand?: string | undefined
}

/** Options that have been checked, with their defaults. */
export interface ResolvedCliOptions {
  readonly platform: CliPlatform
  readonly enableSecret: Password | undefined
  readonly level: string | undefined
  readonly prompt: string | undefined
  readonly timeoutMs: number
  readonly commitTimeoutMs: number
  readonly settleMs: number
  readonly maxOutput: number
  readonly columns: number
  readonly echo: boolean
  readonly newline: string
  readonly encoding: BufferEncoding
  readonly healthCommand: string
}

const NEWLINES = ['\n', '\r', '\r\n']
const ENABLE = 'enable'

const RULES: OptionRules<CliOptions> = {
  platform: {
    fits: (value) => isObject(value) || (typeof value === 'string' && Object.hasOwn(platforms, value)),
    allowed: `${Object.keys(platforms).join(', ')}, or a platform of your own`,
  },
  enableSecret: password,
  level: text,
  prompt: text,
  timeout: duration(0),
  commitTimeout: duration(0),
  settle: duration(0),
  maxOutput: wholeNumber(1),
  columns: wholeNumber(80, 1000),
  echo: flag,
  newline: { fits: (value) => NEWLINES.includes(value as string), allowed: "'\\n', '\\r' or '\\r\\n'" },
  encoding: {
    fits: (value) => typeof value === 'string' && Buffer.isEncoding(value),
    allowed: "a text's encoding, such as 'utf8' or 'latin1'",
  },
  healthCommand: { fits: (value) => typeof value === 'string' && !/[\r\n]/.test(value), allowed: 'one line of text' },
}

/** All that is wrong with the options of a CLI; empty if nothing is. */
export function findCliProblems(options: unknown, path = ''): ConfigProblem[] {
  const problems = findProblems(options, RULES, path)
  if (!isObject(options)) return problems
  const { platform, level } = options
  if (platform === undefined) problems.push({ path: `${path}platform`, given: 'nothing', allowed: RULES.platform.allowed })
  if (isObject(platform)) problems.push(...findPlatformProblems(platform, `${path}platform.`))
  if (problems.length === 0 && typeof level === 'string') {
    const { levels } = platformOf(platform as CliOptions['platform'])
    const names = levels.map(({ name }) => name)
    if (!names.includes(level)) problems.push({ path: `${path}level`, given: `'${level}'`, allowed: names.join(', ') })
  }
  return problems
}

/** Caller must have found no problems. */
export function resolveCliOptions(options: CliOptions): ResolvedCliOptions {
  const platform = platformOf(options.platform)
  const hasEnable = platform.levels.some(({ name }) => name === ENABLE)
  return {
    platform,
    enableSecret: options.enableSecret,
    level: options.level ?? (options.enableSecret !== undefined && hasEnable ? ENABLE : undefined),
    prompt: options.prompt,
    timeoutMs: toMs(options.timeout) ?? 30_000,
    commitTimeoutMs: toMs(options.commitTimeout) ?? 120_000,
    settleMs: toMs(options.settle) ?? 30,
    maxOutput: options.maxOutput ?? 16 * 1024 * 1024,
    columns: options.columns ?? 511,
    echo: options.echo ?? true,
    newline: options.newline ?? '\n',
    encoding: options.encoding ?? 'utf8',
    healthCommand: options.healthCommand ?? platform.health,
  }
}

function platformOf(platform: CliOptions['platform']): CliPlatform {
  return typeof platform === 'string' ? platforms[platform] : platform
}
