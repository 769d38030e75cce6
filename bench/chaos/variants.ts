import type { Random } from '../src/random.ts'

/** What the application asks for, and from how far away. */
export interface Variant {
  readonly name: VariantName
  /** For the table's heading. */
  readonly title: string
  /** Requests that become due at the same moment. */
  readonly callers: number
  /** From one such moment to the next, ms. */
  readonly everyMs: number
  /** The round trip between the application and the server, ms, beside what the machine itself takes. */
  readonly roundTripMs: number
  /** How long the server works on a request, ms; 0 for none. */
  work(random: Random): number
}

export type VariantName = 'base' | 'long' | 'far'

/** Work from 1 to this many ms, evenly over its logarithm: many short queries, some long ones, 80 ms in the mean. */
const LONGEST_WORK_MS = 500

/**
 * With 16 callers every 80 ms the last two would need more than ten connections can do, and each pool would be
 * measured by how it queues. Half as many every 160 ms leave each pool with half of its connections idle.
 */
export const VARIANTS: Readonly<Record<VariantName, Variant>> = {
  base: { name: 'base', title: 'select 1, 200 requests/s', callers: 16, everyMs: 80, roundTripMs: 0, work: () => 0 },
  long: {
    name: 'long',
    title: 'queries of 1–500 ms, 50 requests/s',
    callers: 8,
    everyMs: 160,
    roundTripMs: 0,
    work: (random) => LONGEST_WORK_MS ** random(),
  },
  far: { name: 'far', title: '80 ms of round trip, 50 requests/s', callers: 8, everyMs: 160, roundTripMs: 80, work: () => 0 },
}

/** Requests that become due in a second. */
export function ratePerSecond({ callers, everyMs }: Pick<Variant, 'callers' | 'everyMs'>): number {
  return (callers * 1000) / everyMs
}

export const isVariantName = (name: string): name is VariantName => Object.hasOwn(VARIANTS, name)
