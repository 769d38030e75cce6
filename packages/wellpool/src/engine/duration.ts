import { NEVER } from './clock.ts'
/** A length of time: a number of milliseconds, or text such as `'30s'`, `'5m'`, `'1h30m'`, `'250ms'`, `'1.5s'`, `'infinity'`. */
export type Duration = number | string

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/y

/** @returns milliseconds, or undefined if the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim().toLowerCase()
  if (trimmed === 'infinity') return NEVER
  if (trimmed === '0') return 0
  let total = 0
  PART.lastIndex = 0
  while (PART.lastIndex < trimmed.length) {
    const match = PART.exec(trimmed)
    if (match === null) return undefined
    total += Number(match[1]) * (UNIT_MS[match[2] as string] as number)
  }
  return trimmed === '' ? undefined : total
}

/** Milliseconds as a person would say them: `5000 ms`, `12.3 ms`, `45 s`, `10 min`. */
export function formatMs(ms: number): string {
  if (ms >= 600_000) return `${Math.round(ms / 60_000)} min`
  if (ms >= 10_000) return `${Math.round(ms / 1000)} s`
  return `${ms < 100 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`
}
