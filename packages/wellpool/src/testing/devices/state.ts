import type { DeviceKind } from './platform.ts'

/** What all sessions of a device share. */
export class DeviceState {
  readonly kind: DeviceKind
  readonly enableSecret: string | undefined
  hostname: string
  /** The lines of the running configuration. */
  running: string[]
  /** Changes that wait for a commit, by session: each has a candidate of its own. */
  readonly #candidates = new Map<number, { lines: string[]; hostname?: string }>()

  constructor(kind: DeviceKind, hostname: string, enableSecret: string | undefined, running: readonly string[]) {
    this.kind = kind
    this.hostname = hostname
    this.enableSecret = enableSecret
    this.running = [...running]
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

  commit(session: number): void {
    const candidate = this.#candidates.get(session)
    this.running.push(...(candidate?.lines ?? []))
    this.hostname = candidate?.hostname ?? this.hostname
    this.#candidates.delete(session)
  }

  rollback(session: number): void {
    this.#candidates.delete(session)
  }
}
