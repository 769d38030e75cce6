import { ConfigError, type ConfigProblem } from '../../engine/errors.ts'
import {
  callback,
  choice,
  findProblems,
  flag,
  isObject,
  type OptionRule,
  type OptionRules,
  port,
  text,
  wholeNumber,
} from '../../shared/option-rules.ts'
import type { DeviceCommand } from './cli.ts'
import { DEVICE_KINDS } from './kinds.ts'
import type { DevicePlatform } from './platform.ts'

/** Somebody who may log in. */
export interface DeviceUser {
  readonly name: string
  readonly password?: string | undefined
  /** A public key as `authorized_keys` has it: `ssh-ed25519 AAAA…`. */
  readonly publicKey?: string | undefined
}

/** The ways to log in that a device may offer. */
export type DeviceAuthentication = 'none' | 'password' | 'publickey' | 'keyboard-interactive'

/**
 * What a device does with one session too many: it ends the connection with SSH's own reason (`disconnect`), says so
 * in the shell and closes it (`text`), opens no channel (`channel`), or closes the socket without a word (`close`).
 */
export type DeviceFull = 'disconnect' | 'text' | 'channel' | 'close'

/** How a device is set up. */
export interface DeviceOptions {
  readonly platform: DevicePlatform
  /** Default: `router` and a number. */
  readonly hostname?: string | undefined
  /** Default: one, `admin` with the password `admin`. */
  readonly users?: readonly DeviceUser[] | undefined
  /** What `enable`, `super` and `sudo` ask for. Default: they ask for nothing. */
  readonly enableSecret?: string | undefined
  /** How many sessions it allows at the same time. Default: any number. */
  readonly sessionLimit?: number | undefined
  /** What it does with one more. Default `disconnect`. */
  readonly whenFull?: DeviceFull | undefined
  /** How many channels a connection may have at the same time. Default: one where the platform has one, otherwise any number. */
  readonly channelLimit?: number | undefined
  /** Whether a connection ends with its first channel. Default: as the platform has it. */
  readonly oneChannel?: boolean | undefined
  /** Whether it runs commands over exec channels. Default: as the platform has it. */
  readonly execAllowed?: boolean | undefined
  /** Whether it lets through to other hosts, as a jump host does. Default false. */
  readonly forwarding?: boolean | undefined
  /** What it knows beside the platform's own commands: what it answers, or a function that is asked. Not in the config level. */
  readonly commands?: Readonly<Record<string, DeviceCommand>> | undefined
  /** The running configuration. Default: a few lines. */
  readonly config?: readonly string[] | undefined
  /** What it says to a commit of these lines, if it refuses it; where its kind commits. Default: it refuses none. */
  readonly refuseCommit?: ((lines: readonly string[]) => string | undefined) | undefined
  /** Lines for each page of a long answer; 0: no paging. Default: as the platform has it. */
  readonly pageLength?: number | undefined
  /** The most characters that it writes in one packet: prompts break over several. Default: all at once. */
  readonly packetSize?: number | undefined
  /** How long it waits before each packet but the first, ms. Default 0. */
  readonly outputDelay?: number | undefined
  /** Sent before the log-in. Default: none. */
  readonly banner?: string | undefined
  /** Said in the shell before the first prompt. Default: none. */
  readonly motd?: string | undefined
  /** Default `['password', 'publickey']`. */
  readonly authentication?: readonly DeviceAuthentication[] | undefined
  /** What it asks when it logs in by questions, and the answers that it wants. Default: the password. */
  readonly questions?: readonly { readonly prompt: string; readonly answer: string; readonly echo?: boolean }[] | undefined
  /** The algorithms that it has, for one that is old: by kind, as ssh2 names them. Default: ssh2's. */
  readonly algorithms?:
    | { readonly kex?: readonly string[]; readonly cipher?: readonly string[]; readonly hmac?: readonly string[] }
    | undefined
  /** Its host keys: `ed25519`, `ecdsa`, `rsa`. Each device makes its own. Default `['ed25519']`. */
  readonly hostKeys?: readonly DeviceKeyType[] | undefined
  /** The port of 127.0.0.1. Default: a free one. */
  readonly port?: number | undefined
}

export type DeviceKeyType = 'ed25519' | 'ecdsa' | 'rsa'

/** How a device is started again. */
export interface RebootOptions {
  /** For how long nothing listens, ms. Default 100. */
  readonly downFor?: number | undefined
}

const isList = (value: unknown, fits: (value: unknown) => boolean): boolean => Array.isArray(value) && value.every(fits)
const isText = (value: unknown): boolean => typeof value === 'string'
const anyText: OptionRule = { fits: isText, allowed: 'a text' }
const count: OptionRule = {
  fits: (value) => value === Number.POSITIVE_INFINITY || wholeNumber(0).fits(value),
  allowed: 'a whole number from 0, or Infinity',
}
const listOf = (...values: readonly string[]): OptionRule => ({
  fits: (value) => isList(value, (entry) => values.includes(entry as string)),
  allowed: `a list of ${values.join(', ')}`,
})
const listOfObjects = (allowed: string, fits: (value: Record<string, unknown>) => boolean): OptionRule => ({
  fits: (value) => isList(value, (entry) => isObject(entry) && fits(entry)),
  allowed,
})

const milliseconds: OptionRule = {
  fits: (value) => typeof value === 'number' && value >= 0 && value < 2 ** 31,
  allowed: 'a number of ms from 0',
}

const RULES: OptionRules<DeviceOptions> = {
  platform: choice(...Object.keys(DEVICE_KINDS)),
  hostname: text,
  users: listOfObjects('a list of { name, password, publicKey }', ({ name }) => isText(name)),
  enableSecret: { ...text, secret: true },
  sessionLimit: count,
  whenFull: choice('disconnect', 'text', 'channel', 'close'),
  channelLimit: count,
  oneChannel: flag,
  execAllowed: flag,
  forwarding: flag,
  commands: {
    fits: (value) => isObject(value) && Object.values(value).every((answer) => isText(answer) || typeof answer === 'function'),
    allowed: 'an object with a text or a function for each command',
  },
  config: { fits: (value) => isList(value, isText), allowed: 'a list of texts' },
  refuseCommit: callback,
  pageLength: wholeNumber(0),
  packetSize: { fits: (value) => value !== 0 && count.fits(value), allowed: 'a whole number from 1, or Infinity' },
  outputDelay: milliseconds,
  banner: anyText,
  motd: anyText,
  authentication: listOf('none', 'password', 'publickey', 'keyboard-interactive'),
  questions: listOfObjects('a list of { prompt, answer, echo }', ({ prompt, answer }) => isText(prompt) && isText(answer)),
  algorithms: { fits: isObject, allowed: '{ kex, cipher, hmac } with lists of names' },
  hostKeys: listOf('ed25519', 'ecdsa', 'rsa'),
  port,
}

/** @throws ConfigError when options are wrong: all that are, at once. */
export function checkDeviceOptions(options: DeviceOptions): void {
  const problems: ConfigProblem[] = findProblems(options, RULES)
  if (isObject(options) && options.platform === undefined)
    problems.push({ path: 'platform', given: 'nothing', allowed: RULES.platform.allowed })
  refuse(problems)
}

/** @throws ConfigError when options are wrong: all that are, at once. */
export function checkOutputOptions(options: Pick<DeviceOptions, 'packetSize' | 'outputDelay'>): void {
  const { packetSize, outputDelay } = RULES
  refuse(findProblems(options, { packetSize, outputDelay }))
}

/** @throws ConfigError when options are wrong: all that are, at once. */
export function checkRebootOptions(options: RebootOptions): void {
  refuse(findProblems<RebootOptions>(options, { downFor: milliseconds }))
}

function refuse(problems: readonly ConfigProblem[]): void {
  if (problems.length > 0) throw new ConfigError([...problems])
}
