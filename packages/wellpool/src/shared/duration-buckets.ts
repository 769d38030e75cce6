import { ConfigError, type ConfigProblem } from '../index.ts'
import { type Bounds, DEFAULT_BOUNDS, type DurationName } from './recorder.ts'

/** Upper bounds of histograms, in seconds, ascending. Those that are not given stay as they are. */
export type DurationBuckets = { readonly [Name in DurationName]?: readonly number[] | undefined }

/**
 * The bounds in ms.
 *
 * @throws ConfigError naming every problem at once
 */
export function boundsOf(given: DurationBuckets = {}): Bounds {
  const problems: ConfigProblem[] = []
  const bounds: Record<DurationName, readonly number[]> = { ...DEFAULT_BOUNDS }
  for (const [name, seconds] of Object.entries(given)) {
    if (seconds === undefined) continue
    if (!Object.hasOwn(DEFAULT_BOUNDS, name)) {
      problems.push({ path: `buckets.${name}`, given: 'an unknown name', allowed: Object.keys(DEFAULT_BOUNDS).join(', ') })
    } else if (!isAscending(seconds)) {
      problems.push({
        path: `buckets.${name}`,
        given: JSON.stringify(seconds),
        allowed: 'numbers of seconds above 0, ascending, at least one',
      })
    } else {
      bounds[name as DurationName] = seconds.map((bound) => bound * 1000)
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return bounds
}

function isAscending(values: unknown): boolean {
  if (!Array.isArray(values) || values.length === 0) return false
  return values.every((value, index) => Number.isFinite(value) && value > (index === 0 ? 0 : values[index - 1]))
}
