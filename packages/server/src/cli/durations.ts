import { parseDuration } from 'wellpool'
import { CliError, EXIT } from './exit-codes.ts'

/** The longest that a timer takes, ms. */
const LONGEST = 2 ** 31 - 1

/**
 * What an option with a duration means, ms.
 *
 * @param unit of a number alone, where one may stand
 * @throws CliError when it is none, or none that can be waited for
 */
export function durationOf(option: string, text: string, unit = ''): number {
  const ms = parseDuration(/^\d+(?:\.\d+)?$/.test(text) ? `${text}${unit}` : text)
  if (ms === undefined || !(ms >= 1 && ms <= LONGEST))
    throw new CliError(EXIT.usage, `${option}: '${text}' is no duration from 1 ms up to 24 days: 500ms, 10s, 1m`)
  return Math.ceil(ms)
}
