import type ssh2 from 'ssh2'
import type { Duration } from '../engine/duration.ts'
import { ConfigError, type ConfigProblem } from '../engine/errors.ts'
import {
  callback,
  duration,
  findProblems,
  isObject,
  type OptionRule,
  type OptionRules,
  password,
  port,
  text,
  toMs,
  wholeNumber,
} from '../shared/option-rules.ts'
import type { Password, PasswordContext } from '../shared/password.ts'
import { refusalOf, type SshAlgorithms } from './ssh-algorithms.ts'
import { type CliOptions, findCliProblems } from './ssh-cli-options.ts'
import { HostKeyChecker, type HostKeyPolicy } from './ssh-host-keys.ts'
import { readPrivateKey } from './ssh-private-key.ts'
import type { JumpPool } from './ssh-way.ts'

/** One question of a peer that asks during the log-in (`keyboard-interactive`). */
export interface KeyboardQuestion {
  readonly prompt: string
  /** False for passwords and the like. */
  readonly echo: boolean
}

/** What the function `keyboardInteractive` is given beside the questions. */
export interface KeyboardContext extends PasswordContext {
  readonly name: string
  readonly instructions: string
  /** 1 for the first questions of a log-in, +1 for each further set of them. */
  readonly round: number
}

/** One SSH server: where it is, who logs in and how, and how it proves itself. */
export interface SshHostOptions {
  /** A name or an address. */
  host: string
  /** 1 to 65535. Default 22. */
  port?: number | undefined
  username: string
  /** The password, or a function that is asked for it at each log-in that needs it. */
  password?: Password | undefined
  /** A private key in PEM, OpenSSH's or PuTTY's format: its text, not its file's name. */
  privateKey?: string | Buffer | undefined
  /** Opens the private key. */
  passphrase?: string | undefined
  /** The socket of an SSH agent; `true`: the one in `SSH_AUTH_SOCK`. On Windows also `'pageant'`. */
  agent?: true | string | undefined
  /**
   * Answers the questions of a peer that asks them (`keyboard-interactive`), one answer for each. Without it the
   * password is the answer to what is asked for without echo, once for each log-in.
   */
  keyboardInteractive?:
    | ((questions: readonly KeyboardQuestion[], context: KeyboardContext) => readonly string[] | Promise<readonly string[]>)
    | undefined
  /** How the peer proves that it is the one that is meant. Default: by `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`. */
  hostKey?: HostKeyPolicy | undefined
  /** `'legacy'` offers old devices the algorithms that are no longer offered by default, behind all others; or lists. */
  algorithms?: 'legacy' | SshAlgorithms | undefined
  /**
   * The way there leads over this host, to which each connection makes a connection of its own; or over the sessions of
   * a pool, which many can share. Default: straight.
   */
  jump?: SshHostOptions | JumpPool | undefined
  /**
   * The address of this machine from which the connection is made. Not beside `jump`, which may have one. Default: as the
   * system has it.
   */
  localAddress?: string | undefined
}

/** Where a device or a host is, and how its sessions are. Durations are numbers of milliseconds or texts (`'30s'`). */
export interface SshOptions extends SshHostOptions {
  /**
   * Asks the peer for a sign of life whenever nothing has come from it for this long, also while a session is in use.
   * It keeps firewalls from forgetting the connection. 0: never; otherwise at least 1 s. Default 30 s.
   */
  keepalive?: Duration | undefined
  /** The connection is lost when so many of these stay unanswered in a row. At least 1. Default 3. */
  keepaliveMisses?: number | undefined
  /** The longest that a command of `run` may take, unless its call says otherwise. 0: for ever. Default 1 min. */
  commandTimeout?: Duration | undefined
  /** The most that a command of `run` may write, bytes, unless its call says otherwise. Default 16 MiB. */
  maxOutput?: number | undefined
  /**
   * What checks run over an exec channel; any answer will do, that there is no exec included. `''`: they open no channel
   * and ask the server itself, for jump hosts that open no sessions. Default `echo`. With `cli` checks run its
   * platform's health command instead.
   */
  healthCommand?: string | undefined
  /**
   * How many borrowers share a connection at the same time, each with channels of its own. Devices allow few; hosts
   * allow ten, jump hosts any number of ways. What one leaves open is closed when the last has left. Default 1, and
   * always with `cli`.
   */
  maxLeasesPerConnection?: number | undefined
  /**
   * Opens a CLI with each connection and keeps it over all leases: the client of the pool has it as `session.cli`.
   * For devices that have no exec, that end the connection with its first channel, or where opening costs much.
   */
  cli?: CliOptions | undefined
}

/** One server, checked and with its defaults. */
export interface SshHop {
  readonly host: string
  readonly port: number
  readonly options: SshHostOptions
  readonly privateKey: ssh2.ParsedKey | undefined
  readonly agent: string | undefined
  readonly hostKeys: HostKeyChecker
  readonly jump: SshHop | JumpPool | undefined
}

export interface ResolvedSshOptions {
  readonly hop: SshHop
  readonly keepaliveMs: number
  readonly keepaliveMisses: number
  readonly commandTimeoutMs: number
  readonly maxOutput: number
  readonly healthCommand: string
}

const HOST_RULES: OptionRules<SshHostOptions> = {
  host: text,
  port,
  username: text,
  password,
  privateKey: {
    fits: (value) => Buffer.isBuffer(value) || text.fits(value),
    allowed: 'the text of a private key (not the name of its file)',
    secret: true,
  },
  passphrase: { ...text, secret: true },
  agent: { fits: (value) => value === true || text.fits(value), allowed: "true or an agent's socket" },
  keyboardInteractive: callback,
  hostKey: {
    fits: isHostKeyPolicy,
    allowed: "a fingerprint 'SHA256:…' or several, { knownHosts: file or files }, a function, or 'accept-any-insecure'",
  },
  algorithms: {
    fits: (value) => value === 'legacy' || isAlgorithms(value),
    allowed: "'legacy' or { kex, cipher, hmac, serverHostKey, compress } with lists of names",
  },
  jump: { fits: isObject, allowed: 'an object with the options of a host, or a pool of sessions' },
  localAddress: text,
}

const seconds = duration(1000)
const KEEPALIVE: OptionRule = {
  fits: (value) => toMs(value) === 0 || seconds.fits(value),
  allowed: "0 or a duration (ms, or text such as '30s') from 1000 ms up to 24 days",
}

const RULES: OptionRules<SshOptions> = {
  ...HOST_RULES,
  keepalive: KEEPALIVE,
  keepaliveMisses: wholeNumber(1),
  commandTimeout: duration(0),
  maxOutput: wholeNumber(1),
  healthCommand: { fits: (value) => typeof value === 'string', allowed: 'a text' },
  maxLeasesPerConnection: wholeNumber(1),
  cli: { fits: isObject, allowed: 'an object with the options of a CLI' },
}

const DEFAULT_MAX_OUTPUT = 16 * 1024 * 1024

/**
 * Checks the options.
 *
 * @throws ConfigError naming every problem at once. It never shows a password or a key.
 */
export function resolveSshOptions(options: SshOptions): ResolvedSshOptions {
  const problems: ConfigProblem[] = findProblems(options, RULES)
  if (isObject(options)) {
    findHostProblems(options, '', problems)
    if (isObject(options.cli)) problems.push(...findCliProblems(options.cli, 'cli.'))
    if (options.cli !== undefined && (options.maxLeasesPerConnection ?? 1) > 1) {
      problems.push({ path: 'maxLeasesPerConnection', given: 'more than 1 beside cli', allowed: '1: nobody can share a command line' })
    }
  }
  const hop = problems.length === 0 ? resolveHop(options, '', problems) : undefined
  if (hop === undefined || problems.length > 0) throw new ConfigError(problems)
  return {
    hop,
    keepaliveMs: toMs(options.keepalive) ?? 30_000,
    keepaliveMisses: options.keepaliveMisses ?? 3,
    commandTimeoutMs: toMs(options.commandTimeout) ?? 60_000,
    maxOutput: options.maxOutput ?? DEFAULT_MAX_OUTPUT,
    healthCommand: options.healthCommand ?? 'echo',
  }
}

/** What is secret for as long as the options live: of this server and of all on the way to it. */
export function secretsOf({ password: given, privateKey, passphrase, jump }: SshHostOptions): readonly unknown[] {
  const key = Buffer.isBuffer(privateKey) ? privateKey.toString('latin1') : privateKey
  return [given, key, passphrase, ...(isHost(jump) ? secretsOf(jump) : [])]
}

/** What the rules of single options don't see. */
function findHostProblems(options: SshHostOptions, path: string, problems: ConfigProblem[]): void {
  for (const name of ['host', 'username'] as const) {
    if (options[name] === undefined) problems.push({ path: path + name, given: 'nothing', allowed: HOST_RULES[name].allowed })
  }
  if (options.passphrase !== undefined && options.privateKey === undefined) {
    problems.push({ path: `${path}passphrase`, given: 'one without a privateKey', allowed: 'both or none' })
  }
  if (options.agent === true && !process.env.SSH_AUTH_SOCK) {
    problems.push({ path: `${path}agent`, given: 'true, and SSH_AUTH_SOCK is not set', allowed: "an agent's socket" })
  }
  if (options.localAddress !== undefined && options.jump !== undefined) {
    problems.push({ path: `${path}localAddress`, given: 'one beside jump', allowed: 'one in jump, whose host this machine connects to' })
  }
  if (isAlgorithms(options.algorithms)) {
    const refusal = refusalOf(options.algorithms)
    if (refusal !== undefined)
      problems.push({ path: `${path}algorithms`, given: `what ssh2 does not have (${refusal})`, allowed: 'names that it has' })
  }
  if (!isObject(options.jump) || !isHost(options.jump)) return
  problems.push(...findProblems(options.jump, HOST_RULES, `${path}jump.`))
  findHostProblems(options.jump, `${path}jump.`, problems)
}

/** Caller must know that every option by itself is right. */
function resolveHop(options: SshHostOptions, path: string, problems: ConfigProblem[]): SshHop {
  const { host, port: at = 22, agent, jump } = options
  return {
    host,
    port: at,
    options,
    privateKey: openPrivateKey(options, path, problems),
    agent: agent === true ? process.env.SSH_AUTH_SOCK : agent,
    hostKeys: new HostKeyChecker(host, at, options.hostKey),
    jump: isHost(jump) ? resolveHop(jump, `${path}jump.`, problems) : jump,
  }
}

function openPrivateKey({ privateKey, passphrase }: SshHostOptions, path: string, problems: ConfigProblem[]): ssh2.ParsedKey | undefined {
  const key = privateKey === undefined ? undefined : readPrivateKey(privateKey, passphrase)
  if (typeof key !== 'string') return key
  problems.push({ path: `${path}privateKey`, given: `what cannot be used (${key})`, allowed: HOST_RULES.privateKey.allowed })
  return undefined
}

/** Not a pool. */
function isHost(jump: SshHostOptions['jump']): jump is SshHostOptions {
  return jump !== undefined && !('acquire' in jump)
}

function isHostKeyPolicy(value: unknown): boolean {
  if (typeof value === 'function' || value === 'accept-any-insecure') return true
  if (isObject(value)) return Object.keys(value).length === 1 && isListOf(text.fits, value.knownHosts)
  return isListOf((fingerprint) => typeof fingerprint === 'string' && /^SHA256:[A-Za-z0-9+/]{43}$/.test(fingerprint), value)
}

function isListOf(fits: (value: unknown) => boolean, value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 && value.every(fits) : fits(value)
}

const ALGORITHM_KINDS = ['kex', 'cipher', 'hmac', 'serverHostKey', 'compress']

function isAlgorithms(value: unknown): value is SshAlgorithms {
  if (!isObject(value)) return false
  return Object.entries(value).every(
    ([kind, names]) => ALGORITHM_KINDS.includes(kind) && (names === undefined || (Array.isArray(names) && isListOf(text.fits, names))),
  )
}
