import type { Outcome } from './limits.ts'
import type { Spread } from './summary.ts'

/** A time in words for people: `0.13 s`, `never`. */
export function formatTime(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return 'never'
  return ms < 10_000 ? `${(ms / 1000).toFixed(2)} s` : `${(ms / 1000).toFixed(1)} s`
}

/** A latency: below a second in ms; that of a failed request has no end. */
export function formatLatency(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return 'failed'
  if (ms >= 1000) return formatTime(ms)
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}

export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** The median, and the range of the rounds where they differ visibly. */
export function formatSpread({ median, least, most }: Spread, format: (value: number) => string): string {
  const [middle, low, high] = [median, least, most].map(format) as [string, string, string]
  return low === high ? middle : `${middle} (${low} – ${high})`
}

const METRICS: Readonly<Record<Outcome['metric'], string>> = {
  failed: 'failed',
  slow: 'slower than 100 ms',
  healedMs: 'healed after',
  connects: 'connects',
}

/** One limit in words: `healed after 0.13 s, allowed 0.30 s`. */
export function describeOutcome({ metric, text, limit, measured }: Outcome): string {
  const format = metric === 'healedMs' ? formatTime : formatCount
  const allowed = /^\d+$/.test(text) ? format(limit) : `${format(limit)}: ${text}`
  return `${METRICS[metric]} ${format(measured)}, allowed ${allowed}`
}
