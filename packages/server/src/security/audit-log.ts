import { closeSync, openSync, writeSync } from 'node:fs'

/** One change that somebody made, or wanted to make. */
export interface AuditEntry {
  /** ISO 8601. */
  readonly time: string
  /** The token's name, and its id if there was one. */
  readonly who: string
  readonly tokenId?: string
  /** Where the request came from. */
  readonly address: string
  /** `rebuild`, `pause`, `execute`, … */
  readonly action: string
  /** The pool, connection, protocol or job. */
  readonly target: string
  /** What was asked for beside that; no secrets, and no values of parameters. */
  readonly details?: Readonly<Record<string, unknown>>
  /** `done`, `accepted` for what goes on, or the code of the refusal. */
  readonly result: string
  readonly durationMs: number
}

const REMEMBERED = 1000

/**
 * Every change, in the order in which they ended: appended to a file, never rewritten, and the latest in memory. When
 * the file can't be written no more changes are made.
 */
export class AuditLog {
  readonly #file: number | undefined
  readonly #entries: AuditEntry[] = []
  #fault: Error | undefined

  /** @throws the error of the file system when the file can't be opened for appending */
  constructor(file: string | undefined) {
    this.#file = file === undefined ? undefined : openSync(file, 'a', 0o600)
  }

  /** The latest entries, the oldest first. */
  entries(limit: number): readonly AuditEntry[] {
    return this.#entries.slice(-limit)
  }

  /** Why no changes can be made; undefined if they can. What was repaired is noticed by the next one. */
  get fault(): Error | undefined {
    return this.#fault
  }

  write(entry: AuditEntry): void {
    this.#entries.push(entry)
    if (this.#entries.length > REMEMBERED) this.#entries.shift()
    if (this.#file === undefined) return
    try {
      // In one call: lines of several writers don't mix.
      writeSync(this.#file, `${JSON.stringify(entry)}\n`)
      this.#fault = undefined
    } catch (error) {
      this.#fault = error as Error
    }
  }

  /** Tries whether the file can be written again. */
  retry(now: Date): void {
    this.write({ time: now.toISOString(), who: 'wellpool', address: '', action: 'audit', target: 'log', result: 'resumed', durationMs: 0 })
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }
}
