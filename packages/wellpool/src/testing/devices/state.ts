import type { DeviceOptions } from './options.ts'
import type { DeviceKind, Lines } from './platform.ts'

interface StateOptions {
  readonly hostname: string
  readonly enableSecret: string | undefined
  readonly config: Lines
  readonly refuseCommit: DeviceOptions['refuseCommit']
}

/** What all sessions of a device share. */
export class DeviceState {
  readonly kind: DeviceKind
  readonly enableSecret: string | undefined
  readonly #refuseCommit: (lines: Lines) => string | undefined
  hostname: string
  /** The lines of the running configuration. */
  running: string[]
  /** Changes that wait for a commit, by session: each has a candidate of its own. */
  readonly #candidates = new Map<number, { lines: string[]; hostname?: string }>()

  constructor(kind: DeviceKind, { hostname, enableSecret, config, refuseCommit }: StateOptions) {
    this.kind = kind
    this.hostname = hostname
    this.enableSecret = enableSecret
    this.running = [...config]
    this.#refuseCommit = refuseCommit ?? (() => undefined)
  }

  hasChanged(session: number): boolean {
    return this.#candidates.has(session)
  }

  configure(session: number, line: string): void {
    if (!this.kind.commits) {
      this.running.push(line)
      return
    }
    const candidate = this.#candidates.get(session) ?? { lines: [] }
    candidate.lines.push(line)
    this.#candidates.set(session, candidate)
  }

  rename(session: number, hostname: string): void {
    const candidate = this.#candidates.get(session)
    if (this.kind.commits && candidate !== undefined) candidate.hostname = hostname
    else this.hostname = hostname
  }

  /** @returns what is said to it: nothing when the changes are in force */
  commit(session: number): Lines {
    const candidate = this.#candidates.get(session)
    const refusal = this.#refuseCommit(candidate?.lines ?? [])
    if (refusal !== undefined) return [refusal]
    this.running.push(...(candidate?.lines ?? []))
    this.hostname = candidate?.hostname ?? this.hostname
    this.#candidates.delete(session)
    return []
  }

  rollback(session: number): void {
    this.#candidates.delete(session)
  }
}
