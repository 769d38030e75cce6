import type { Circumstances } from '../src/versions.ts'
import type { Run } from './run.ts'

/** All that was measured, as it is kept in a file. */
export interface Saved {
  readonly circumstances: Circumstances
  /** The version of PostgreSQL. */
  readonly server: string
  /** How the program was called: once, or once for each part. */
  readonly commands: readonly string[]
  readonly lanes: number
  /** How late a process was that did nothing but look at the clock, at worst, ms. */
  readonly idleLateMs: number
  readonly tookMs: number
  readonly runs: readonly Run[]
  /** The runs that came to nothing, and why. */
  readonly failures: readonly string[]
}

/** Several measurements as one: what the first says of the machine, and the versions and runs of all. */
export function combine(all: readonly [Saved, ...Saved[]]): Saved {
  return {
    ...all[0],
    circumstances: { ...all[0].circumstances, versions: versionsOf(all) },
    commands: all.flatMap(({ commands }) => commands),
    idleLateMs: Math.max(...all.map(({ idleLateMs }) => idleLateMs)),
    tookMs: all.reduce((sum, { tookMs }) => sum + tookMs, 0),
    runs: all.flatMap(({ runs }) => runs),
    failures: all.flatMap(({ failures }) => failures),
  }
}

/** The versions of all contenders: those of a part are of the ones that it measured. Where they differ, all of them. */
function versionsOf(all: readonly Saved[]): Record<string, string> {
  const versions = new Map<string, Set<string>>()
  for (const [name, version] of all.flatMap(({ circumstances }) => Object.entries(circumstances.versions))) {
    versions.set(name, (versions.get(name) ?? new Set()).add(version))
  }
  return Object.fromEntries([...versions].map(([name, each]) => [name, [...each].join(' and ')]))
}

/** What JSON has no number for: a request that never ended, a pool that never healed. */
const ENDLESS = 'endless'

/** As JSON; what has no end stands there as a word. */
export function save(saved: Saved): string {
  const write = (_: string, value: unknown): unknown => {
    if (value === Number.POSITIVE_INFINITY) return ENDLESS
    return value instanceof Error ? { name: value.name, message: value.message, cause: value.cause } : value
  }
  return `${JSON.stringify(saved, write, 1)}\n`
}

/** What {@link save} has written. */
export function revive(text: string): Saved {
  return JSON.parse(text, (_, value: unknown) => (value === ENDLESS ? Number.POSITIVE_INFINITY : value)) as Saved
}
