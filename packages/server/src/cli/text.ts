import { styleText } from 'node:util'

/** Cursor movements and other control characters: a name or a message must not steer the terminal. */
const CONTROL = /\p{Cc}+/gu

const CONTROL_IN_LINES = /(?![\t\n])\p{Cc}/gu

/** A text for one line of a terminal. */
export const plain = (value: unknown): string => String(value ?? '').replaceAll(CONTROL, ' ')

/** The same for a text of several lines, in which tabs may stand. */
export const plainLines = (text: string): string => text.replaceAll('\r\n', '\n').replaceAll(CONTROL_IN_LINES, ' ')

/** What JSON lets stand, and a terminal may obey: of control characters it escapes those below 0x20 alone. */
const CONTROL_IN_JSON = /[\u007f-\u009f]/g

/** JSON that means the same, and that steers no terminal. */
export const plainJson = (json: string): string =>
  json.replaceAll(CONTROL_IN_JSON, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)

/** A value as JSON for programs, which people may look at on a terminal. */
export const toJson = (value: unknown, indent?: number): string => plainJson(JSON.stringify(value, null, indent))

export type Color = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold'

/** Paints, or does not, where colours are not wanted. */
export type Paint = (color: Color, text: string) => string

export const painter = (wanted: boolean): Paint =>
  wanted ? (color, text) => styleText(color, text, { validateStream: false }) : (_, text) => text

/** `850 ms`, `12 s`, `5 min`, `3 h`, `2 d`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ] as const
  const [size, unit] = units.find(([each]) => ms >= each) ?? units[3]
  return `${Math.floor(ms / size)} ${unit}`
}

/** `12:34:56.789`, local time. */
export function clockTime(timestamp: number): string {
  const date = new Date(timestamp)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** Cuts a text to so many columns. */
export function cutTo(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`
}
