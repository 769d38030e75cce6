/** What numbers are followed by. The same in all languages: they are symbols. */
const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** A measured time, with three digits that count: `0.42 ms`, `13 ms`, `1.24 s`, `2 m 05 s`, `3 h 12 m`, `4 d 03 h`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–'
  const value = Math.max(0, ms)
  if (value === 0) return '0 ms'
  if (value < 0.0995) return `${trim(value.toFixed(3))} ms`
  if (value < 9.95) return `${trim(value.toFixed(value < 0.995 ? 2 : 1))} ms`
  if (value < 999.5) return `${Math.round(value)} ms`
  if (value < 9995) return `${(value / 1000).toFixed(2)} s`
  if (value < 59_950) return `${(value / 1000).toFixed(1)} s`
  return long(value)
}

/** How long ago something was, in whole seconds from one second on: `0.4 s`, `12 s`, `2 m 05 s`. */
export function age(ms: number): string {
  const value = Math.max(0, ms)
  if (value < 10_000) return `${(Math.floor(value / 100) / 10).toFixed(1)} s`
  return value < MINUTE ? `${Math.floor(value / 1000)} s` : long(value)
}

function long(ms: number): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`
  const minutes = Math.round(ms / MINUTE)
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`
  const hours = Math.round(ms / HOUR)
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`
}

/** `0.42` stays, `1.0` becomes `1`. */
const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

/** A whole number, in groups of three digits: `12,345`. */
export function whole(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** A share as percent: `0 %`, `0.4 %`, `12 %`. */
export function percent(part: number, of: number): string {
  if (of === 0) return '–'
  const value = (part / of) * 100
  return `${value > 0 && value < 10 ? trim(value.toFixed(1)) : Math.round(value)} %`
}

/** The time of day here, to the millisecond: that of events, of which many may be in a second. */
export function clockTime(timestamp: number): string {
  return `${timeOfDay(timestamp)}.${String(new Date(timestamp).getMilliseconds()).padStart(3, '0')}`
}

/** The time of day here: `14:05:09`. */
export function timeOfDay(timestamp: number): string {
  const date = new Date(timestamp)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}

/** Day and time here: `2026-11-26 14:05:09`. */
export function dayAndTime(timestamp: number): string {
  const date = new Date(timestamp)
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0')).join('-')
  return `${day} ${timeOfDay(timestamp)}`
}
