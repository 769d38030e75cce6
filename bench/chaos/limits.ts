import { median } from '../src/statistics.ts'
import type { Figures } from './figures.ts'
import { ACQUIRE_MS } from './pools.ts'
import { ratePerSecond, VARIANTS } from './variants.ts'

/** What Wellpool must reach in a scenario. Absent: no limit. */
export interface Limit {
  /** The most requests that may fail. */
  readonly failed?: Bound
  /** The most that may be answered late. */
  readonly slow?: Bound
  /** The longest time to heal, ms. */
  readonly healedMs?: number
  /** The most connects since the fault. */
  readonly connects?: number
}

/** A number, or one that follows from how long the endpoint was away and how long healing took. */
type Bound = number | { readonly text: string; of(figures: Pick<Figures, 'outageMs' | 'healedMs'>): number }

const { base } = VARIANTS
/** Requests that become due at one moment. */
const BURST = base.callers
const perMs = ratePerSecond(base) / 1000

/** A pool that never heals has no excuse for whom it fails meanwhile. */
const excused = (healedMs: number): number => (healedMs === Number.POSITIVE_INFINITY ? 0 : healedMs)

/**
 * Who comes while the endpoint is away waits as long as it may. So who fails, at the best, is who waited that long: those
 * due in the time of the outage that exceeds the deadline, and until the pool has healed; and one burst, because they come in bursts.
 */
const BEYOND_DEADLINE: Bound = {
  text: `200 × (away − ${ACQUIRE_MS / 1000} s + healed) + ${BURST}`,
  of: ({ outageMs, healedMs }) => perMs * (Math.max(0, outageMs - ACQUIRE_MS) + excused(healedMs)) + BURST,
}

/** Nobody can be answered in time who is due while the endpoint is away; two bursts for the way back. */
const WHILE_AWAY: Bound = {
  text: `those due while it was away + ${2 * BURST}`,
  of: ({ outageMs }) => perMs * outageMs + 2 * BURST,
}

/** By scenario, for the main variant. */
export const LIMITS: Readonly<Record<string, Limit>> = {
  'killed-ten-times': { failed: 0, slow: 5, healedMs: 100 },
  'killed-each-second': { failed: 0, slow: BURST, healedMs: 100 },
  restarted: { failed: 0, slow: WHILE_AWAY, healedMs: 300 },
  'gone-2s': { failed: BEYOND_DEADLINE, healedMs: 300, connects: 60 },
  'refused-5s': { failed: BEYOND_DEADLINE, healedMs: 300, connects: 100 },
  'unanswered-10s': { failed: BEYOND_DEADLINE, healedMs: 10_000, connects: 100 },
  silent: { failed: 0, slow: 80, healedMs: 400 },
  'idle-silent': { failed: 0, slow: BURST, healedMs: 100 },
  'half-slow': { failed: 0, slow: 80, healedMs: 3_000 },
  'half-throughput': { failed: 0, slow: 80, healedMs: 3_000 },
  'slow-connects': { failed: 0, slow: BURST, healedMs: 100 },
  'password-rotated': { failed: 0, slow: BURST, healedMs: 100 },
  'server-full': { failed: 0, slow: BURST, healedMs: 100 },
  'failed-over': { failed: 0, slow: WHILE_AWAY, healedMs: 300 },
  demoted: { failed: 0, slow: 2 * BURST, healedMs: 300 },
  'stopped-20s': { failed: 0, healedMs: 300 },
  'blocked-2s': { failed: 0, healedMs: 300 },
}

/** One limit, and what became of it. */
export interface Outcome {
  readonly metric: keyof Limit
  /** The limit in words. */
  readonly text: string
  /** The limit as it is in these runs. */
  readonly limit: number
  readonly measured: number
  readonly met: boolean
}

type Measured = Pick<Figures, 'failed' | 'slow' | 'healedMs' | 'connects' | 'outageMs'>

/**
 * What became of a scenario's limits.
 *
 * @param rounds Wellpool's figures. No failure is chance, nor that a pool never heals, so the worst round decides; of
 *   what the machine's other work makes worse the median does.
 */
export function outcomesOf(limit: Limit, rounds: readonly Measured[]): Outcome[] {
  return (Object.entries(limit) as [keyof Limit, Bound][]).map(([metric, bound]) => {
    const most = (figures: Measured): number => (typeof bound === 'number' ? bound : bound.of(figures))
    const text = typeof bound === 'number' ? String(bound) : bound.text
    const [worst] = [...rounds].sort((a, b) => b[metric] - most(b) - (a[metric] - most(a)))
    const noChance = metric === 'failed' || worst?.[metric] === Number.POSITIVE_INFINITY
    const decides = noChance && worst !== undefined ? [worst] : rounds
    const measured = median(decides.map((figures) => figures[metric]))
    const allowed = median(decides.map(most))
    return { metric, text, limit: allowed, measured, met: measured <= allowed }
  })
}
