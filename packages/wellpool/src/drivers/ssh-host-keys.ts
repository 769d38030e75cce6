import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { SshError } from './ssh-errors.ts'
import { entriesOf, type KnownHost, knownHostName, lookUp, parseKnownHosts } from './ssh-known-hosts.ts'

/** A host key as the peer has shown it. */
export interface HostKey {
  readonly host: string
  readonly port: number
  /** `ssh-ed25519`, … */
  readonly type: string
  /** `SHA256:…`, as `ssh-keygen -l` shows it. */
  readonly fingerprint: `SHA256:${string}`
  /** The key itself, in SSH's wire format: what stands in `known_hosts` in base64. */
  readonly data: Buffer
}

/**
 * How the peer proves that it is the one that is meant:
 *
 * - `{ knownHosts }`: by a key in one of these files, in OpenSSH's format. They are read again when they change.
 * - `SHA256:…`: by the key with this fingerprint, or with one of several.
 * - a function: is asked for each new connection.
 * - `'accept-any-insecure'`: not at all. Whoever sits between here and the peer can read and change everything,
 *   passwords included.
 */
export type HostKeyPolicy =
  | { readonly knownHosts: string | readonly string[] }
  | `SHA256:${string}`
  | readonly `SHA256:${string}`[]
  | ((key: HostKey) => boolean | Promise<boolean>)
  | 'accept-any-insecure'

/** What OpenSSH reads, the user's own first. */
export const defaultKnownHosts = (): readonly string[] => [join(homedir(), '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts']

/** Checks the host keys of one peer. */
export class HostKeyChecker {
  readonly #host: string
  readonly #port: number
  readonly #policy: HostKeyPolicy
  #entries: readonly KnownHost[] = []
  #read: readonly string[] = []

  constructor(host: string, port: number, policy: HostKeyPolicy = { knownHosts: defaultKnownHosts() }) {
    this.#host = host
    this.#port = port
    this.#policy = policy
  }

  /**
   * Gets ready for a connect.
   *
   * @returns the types of keys that are known of the peer: it has to be asked for one of these, as it may have others
   */
  async prepare(): Promise<readonly string[]> {
    if (typeof this.#policy !== 'object' || !('knownHosts' in this.#policy)) return []
    const files = [this.#policy.knownHosts].flat()
    const texts = await Promise.all(files.map(readKnownHosts))
    this.#entries = texts.flatMap((entries) => entries ?? [])
    this.#read = files.filter((_, index) => texts[index] !== undefined)
    return [...new Set(entriesOf(this.#entries, knownHostName(this.#host, this.#port)).map(({ type }) => type))]
  }

  /**
   * Returns, or fulfils where a function is asked, when the key may be trusted.
   *
   * @throws SshError SSH_HOST_KEY with what to do about it; or rejects with it
   */
  check(data: Buffer): Promise<void> | undefined {
    const key = this.#describe(data)
    const policy = this.#policy
    if (policy === 'accept-any-insecure') return undefined
    if (typeof policy === 'function') return this.#ask(policy, key)
    if (typeof policy === 'object' && 'knownHosts' in policy) {
      this.#lookUp(key)
    } else if (![policy].flat().includes(key.fingerprint)) {
      throw this.#refusal(
        key,
        `expected is ${[policy].flat().join(' or ')}. Somebody may be in between; if the key was changed on purpose, give its new fingerprint as hostKey`,
      )
    }
    return undefined
  }

  async #ask(judge: (key: HostKey) => boolean | Promise<boolean>, key: HostKey): Promise<void> {
    if ((await judge(key)) !== true) throw this.#refusal(key, 'the function given as hostKey refuses it')
  }

  #lookUp(key: HostKey): void {
    const name = knownHostName(this.#host, this.#port)
    const verdict = lookUp(this.#entries, name, key.data.toString('base64'))
    if (verdict.kind === 'revoked') {
      throw this.#refusal(key, `it is revoked by ${verdict.entry.file}, line ${verdict.entry.line}`)
    }
    if (verdict.kind === 'changed') {
      const known = verdict.entries.map(({ type, file, line }) => `${type} in ${file}, line ${line}`).join('; ')
      throw this.#refusal(
        key,
        `known of it are other keys (${known}). Somebody may be in between; if the key was changed on purpose, remove the old one: ssh-keygen -R '${name}'`,
      )
    }
    if (verdict.kind === 'unknown') {
      const where = this.#read.length === 0 ? 'there is no known_hosts file to look into' : `it is not in ${this.#read.join(', ')}`
      const option = this.#port === 22 ? '' : `-p ${this.#port} `
      throw this.#refusal(
        key,
        `${where}. Compare the fingerprint on the peer's console, then add the key (ssh-keyscan ${option}${this.#host}), or give the fingerprint as hostKey`,
      )
    }
  }

  #refusal({ type, fingerprint }: HostKey, why: string): SshError {
    return new SshError(
      'SSH_HOST_KEY',
      `${this.#host}:${this.#port} shows the host key ${fingerprint} (${type}), which is not trusted: ${why}`,
    )
  }

  #describe(data: Buffer): HostKey {
    const typeLength = data.length >= 4 ? data.readUInt32BE(0) : 0
    return {
      host: this.#host,
      port: this.#port,
      type: data.toString('latin1', 4, 4 + typeLength),
      fingerprint: fingerprintOf(data),
      data,
    }
  }
}

/** `SHA256:…`, as `ssh-keygen -l` shows it. */
export function fingerprintOf(data: Buffer): `SHA256:${string}` {
  return `SHA256:${createHash('sha256').update(data).digest('base64').replace(/=+$/, '')}`
}

interface ReadFile {
  /** Changes whenever the file does. */
  readonly version: string
  readonly entries: readonly KnownHost[]
}

/** Hundreds of devices read the same file, which may have thousands of lines. */
const readFiles = new Map<string, ReadFile>()

/** @returns undefined when there is no such file */
async function readKnownHosts(file: string): Promise<readonly KnownHost[] | undefined> {
  try {
    const { mtimeMs, size, ino } = await stat(file)
    const version = `${mtimeMs} ${size} ${ino}`
    const before = readFiles.get(file)
    if (before?.version === version) return before.entries
    const entries = parseKnownHosts(await readFile(file, 'utf8'), file)
    readFiles.set(file, { version, entries })
    return entries
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
