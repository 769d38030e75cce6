import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import Type, { type Static } from 'typebox'
import { Check, Errors } from 'typebox/value'
import { ROLES } from './roles.ts'
import type { TokenRecord } from './tokens.ts'

const TokenFile = Type.Object(
  {
    version: Type.Literal(1),
    tokens: Type.Array(
      Type.Object(
        {
          id: Type.String({ pattern: '^[0-9a-z]{10}$' }),
          name: Type.String({ minLength: 1 }),
          roles: Type.Array(Type.Union(ROLES.map((role) => Type.Literal(role))), { minItems: 1 }),
          hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
          createdAt: Type.String({ pattern: '^\\d{4}-' }),
          expiresAt: Type.Optional(Type.String({ pattern: '^\\d{4}-' })),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)

/** How long somebody waits for another one's change, and looks again meanwhile. ms */
const LOCK_TIMEOUT = 5000
const LOCK_RETRY = 10

/** How old what is known of the file may be, ms: a token that is revoked is refused after that. */
const RECHECK_AFTER = 1000

/**
 * Reads a file of tokens.
 *
 * @returns none if there is no such file
 * @throws Error when it can't be read or is no file of tokens
 */
export function readTokens(file: string): TokenRecord[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return checked(file, parse(text)).tokens as TokenRecord[]
}

/**
 * Changes a file of tokens in one step. A new one is readable to its owner alone; one that is there keeps its owner and
 * its group, and who may read it. Who changes it at the same time waits.
 *
 * @param change gets the tokens that are there, returns those that are to be
 * @throws Error when it can't be read or written, is no file of tokens or would be none; and what `change` throws. Then it
 *   is as it was
 */
export async function changeTokens(file: string, change: (tokens: TokenRecord[]) => TokenRecord[]): Promise<void> {
  const target = targetOf(file)
  const unlock = await lock(`${target}.lock`)
  try {
    writeTokens(target, change(readTokens(target)))
  } finally {
    unlock()
  }
}

/** What a link points to, not the link. */
function targetOf(file: string): string {
  if (existsSync(file)) return realpathSync(file)
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return file
  throw new Error(`${file} is a link to a file that is not there: make that, empty of tokens, or remove the link`)
}

/**
 * Writes a file of tokens in one step: one that is new readable to its owner alone, one that is there with the owner,
 * the group and the mode that it has.
 *
 * @throws Error when nobody could read it afterwards, or the agent that reads it no longer; then it is as it was
 */
export function writeTokens(file: string, tokens: readonly TokenRecord[]): void {
  const content = checked(file, { version: 1, tokens })
  const fresh = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(fresh, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  try {
    keepOwner(file, fresh)
    renameSync(fresh, file)
  } catch (error) {
    unlinkSync(fresh)
    throw error
  }
}

/**
 * An agent that may read the old file may read the new one: root makes a token for a service that runs as a user of its
 * own, and a file that had become root's would lock everybody out.
 */
function keepOwner(file: string, fresh: string): void {
  const old = statSync(file, { throwIfNoEntry: false })
  if (old === undefined) return
  // Never to everybody, and never more than before.
  const mode = old.mode & 0o660
  const own = statSync(fresh)
  try {
    // A group that may do nothing need not stay.
    if (old.uid !== own.uid || (old.gid !== own.gid && (mode & 0o060) !== 0)) chownSync(fresh, old.uid, old.gid)
  } catch (error) {
    const problem = `${file} belongs to the user ${old.uid} and the group ${old.gid}: change it as that user, or as root`
    throw new Error(problem, { cause: error })
  }
  chmodSync(fresh, mode)
}

/** @returns what gives it back. @throws Error when somebody else has held it for longer than a change takes */
async function lock(file: string): Promise<() => void> {
  for (const until = Date.now() + LOCK_TIMEOUT; ; ) {
    try {
      closeSync(openSync(file, 'wx', 0o600))
      return () => unlinkSync(file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (Date.now() >= until) throw new Error(`${file}: somebody else is changing the tokens; if nobody is, remove it`)
      await delay(LOCK_RETRY)
    }
  }
}

/** @throws Error saying where it is wrong */
function checked(file: string, content: unknown): Static<typeof TokenFile> {
  if (Check(TokenFile, content)) return content
  const [error] = Errors(TokenFile, content)
  throw new Error(
    `${file} is no file of tokens${error === undefined || error.instancePath === '' ? '' : `: ${error.instancePath} ${error.message}`}`,
  )
}

/** The tokens of a file as it is now, or was a second ago. */
export class TokenFileSource {
  readonly #file: string
  readonly #report: (error: unknown) => void
  #tokens: readonly TokenRecord[]
  #version: string
  #checkedAt = Date.now()

  /**
   * @param report hears when the file has become unreadable; until it is mended nobody is let in
   * @throws Error when it is so at once
   */
  constructor(file: string, report: (error: unknown) => void) {
    this.#file = file
    this.#report = report
    this.#version = versionOf(file)
    this.#tokens = readTokens(file)
  }

  get(): readonly TokenRecord[] {
    if (Date.now() - this.#checkedAt >= RECHECK_AFTER) this.#renew()
    return this.#tokens
  }

  #renew(): void {
    this.#checkedAt = Date.now()
    try {
      const version = versionOf(this.#file)
      if (version === this.#version) return
      this.#tokens = readTokens(this.#file)
      this.#version = version
    } catch (error) {
      this.#tokens = []
      this.#version = ''
      this.#report(error)
    }
  }
}

function versionOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats === undefined ? 'none' : `${stats.ino} ${stats.mtimeMs} ${stats.size}`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
