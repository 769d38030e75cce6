import { styleText } from 'node:util'

/** How a piece of text stands out. Nothing is said by this alone. */
export type Style = 'good' | 'warn' | 'bad' | 'dim' | 'strong'

/** A piece of a line. */
export interface Span {
  readonly text: string
  readonly style?: Style
}

/** A line: texts, and spans where one stands out. */
export type Line = readonly (string | Span)[]

const FORMATS = { good: 'green', warn: 'yellow', bad: 'red', dim: 'dim', strong: 'bold' } as const

/** The line as the terminal gets it, cut off at `width` columns. */
export function toText(line: Line, width: number, colour: boolean): string {
  let left = width
  let text = ''
  for (const part of line) {
    const { text: raw, style } = typeof part === 'string' ? { text: part, style: undefined } : part
    const cut = shorten(printable(raw), left)
    left -= cut.length
    text += colour && style !== undefined && cut !== '' ? styleText(FORMATS[style], cut, { validateStream: false }) : cut
  }
  return text
}

/** A piece of a line that stands out if there is a reason. */
export function flagged(text: string, style: Style | undefined): Span {
  return style === undefined ? { text } : { text, style }
}

/** The line as plain text, all of it. */
export function lineText(line: Line): string {
  return toText(line, Number.POSITIVE_INFINITY, false)
}

/** The text, or as much of it as fits, with a sign that there is more. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text
  return width <= 0 ? '' : `${text.slice(0, width - 1)}…`
}

/** Filled up with spaces, or cut off, to a column of `width`; a space always follows it. */
export function column(text: string, width: number): string {
  return `${shorten(text, width - 1).padEnd(width - 1)} `
}

/** As {@link column}, with the text at the right end. */
export function rightColumn(text: string, width: number): string {
  return `${shorten(text, width - 1).padStart(width - 1)} `
}

/** What a server or a system wrote may hold anything; on the terminal it must not do anything. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
}

/** What an error says. The one for a host with several addresses, none of which answers, says nothing: those in it do. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}

/** `'0 ms'`, `'12 ms'`, `'1.5 s'`. */
export function duration(ms: number): string {
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** `'1 s'`, for limits that are whole seconds. */
export function seconds(ms: number): string {
  return `${ms / 1_000} s`
}

/** `'2:07'`, since the beginning of the run. */
export function clockTime(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1_000))
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

/** `'1 request'`, `'2 requests'`. */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`
}
