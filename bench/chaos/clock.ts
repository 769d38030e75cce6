import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds on the machine's own monotonic clock: the same in every process, so that faults and requests can be compared. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Resolves at that time, or at once if it is past. */
export async function sleepUntil(time: number): Promise<void> {
  const left = time - now()
  if (left > 0) await delay(left)
}
