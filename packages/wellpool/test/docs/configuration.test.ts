import { describe, expect, test } from 'vitest'
import { parseDuration } from '../../src/engine/duration.ts'
import { ConfigError } from '../../src/engine/errors.ts'
import { DEFAULT_OPTIONS, type PoolOptions } from '../../src/engine/options.ts'
import { OPTION_NAMES, resolveOptions } from '../../src/engine/resolve-options.ts'
import { readPage, tableRows } from './markdown.ts'

const codes = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
const rows = tableRows(readPage('docs/configuration.md')).map(([option, fallback = '', unit = '', range = '', text = '']) => ({
  path: codes(option)[0] ?? '',
  fallback,
  unit,
  range,
  text,
}))
const parts = rows.filter(({ path }) => path.startsWith('backoff.'))
const options = rows.filter(({ path }) => !path.startsWith('backoff.'))

const defaults: Record<string, unknown> = {
  ...DEFAULT_OPTIONS,
  ...Object.fromEntries(Object.entries(DEFAULT_OPTIONS.backoff).map(([part, value]) => [`backoff.${part}`, value])),
}

/** What a value means, however it is written: `'30s'` and `30000`, `Infinity` and `'infinity'`. */
const meaning = (value: unknown): unknown => {
  if (typeof value !== 'string') return value
  return parseDuration(value) ?? (value === '' || Number.isNaN(Number(value)) ? value : Number(value))
}

function isAccepted(path: string, value: unknown): boolean {
  const [option = '', part] = path.split('.')
  // The others are chosen so that they contradict no value of the option in question.
  const room = { minConnections: 0, maxConnections: Number.MAX_SAFE_INTEGER, maxUses: 5, backoff: { base: 1, max: '24d' } }
  const given = part === undefined ? { [option]: value } : { [option]: { ...room.backoff, max: '24d', base: 1, [part]: value } }
  try {
    resolveOptions([{ ...room, ...given } as PoolOptions], 'name')
    return true
  } catch {
    return false
  }
}

/** The words that the refusal of a wrong one lists. */
function allowedWords(path: string): string[] {
  try {
    resolveOptions([{ [path]: 'something else' } as PoolOptions], 'name')
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.flatMap(({ allowed }) => allowed.replaceAll("'", '').split(' or '))
  }
  return []
}

describe('docs/configuration.md', () => {
  test('has one row for each option and none besides', () => {
    expect(options.map(({ path }) => path).sort()).toEqual([...OPTION_NAMES].sort())
    expect(parts.map(({ path }) => path).sort()).toEqual(
      Object.keys(DEFAULT_OPTIONS.backoff)
        .map((part) => `backoff.${part}`)
        .sort(),
    )
  })

  test('leaves no cell of a row empty', () => {
    const empty = rows.filter((row) => Object.values(row).some((cell) => cell === ''))
    expect(empty).toEqual([])
  })

  test.each(rows.filter(({ path }) => path in defaults && path !== 'backoff'))('gives the default of $path', ({ path, fallback }) => {
    const [code] = codes(fallback)
    const documented = code === 'true' || code === 'false' ? code === 'true' : meaning(code)
    expect(documented).toEqual(meaning(defaults[path]))
  })

  test('gives the default of minConnections', () => {
    const [few, { maxConnections }] = [resolveOptions([], 'name'), resolveOptions([{ maxConnections: 1 }], 'name')]
    expect(codes(rows.find(({ path }) => path === 'minConnections')?.fallback)).toEqual([`${few.minConnections}`, 'maxConnections'])
    expect(resolveOptions([{ maxConnections: 1 }], 'name').minConnections).toBe(maxConnections)
  })

  const numeric = rows.filter(({ range }) => /^(above )?`[\d.]+(ms)?`/.test(range))

  test.each(numeric)('gives the range of $path: $range', ({ path, range }) => {
    const [lower = '', upper] = codes(range.split(';')[0])
    const least = meaning(lower) as number
    expect(isAccepted(path, least), 'the least').toBe(!range.startsWith('above'))
    expect(isAccepted(path, least - 0.001), 'less than the least').toBe(false)
    if (range.startsWith('above')) expect(isAccepted(path, least + 0.001), 'a little above').toBe(true)
    if (upper !== undefined) {
      const most = meaning(upper) as number
      expect(isAccepted(path, most), 'the most').toBe(true)
      // A day's grace: the longest duration is not a round number.
      expect(isAccepted(path, upper.endsWith('d') ? most + 86_400_000 : most + 0.001), 'more than the most').toBe(false)
    } else {
      expect(isAccepted(path, 1_000_000), 'a lot').toBe(true)
    }
    const off = codes(range.split(';')[1])
    expect(isAccepted(path, Number.POSITIVE_INFINITY), 'Infinity').toBe(off.includes('Infinity'))
    expect(isAccepted(path, 0), '0').toBe(off.includes('0') || lower === '0')
  })

  const worded = rows.filter(({ range }) => /^`[a-z]/.test(range))

  test.each(worded)('gives the words of $path: $range', ({ path, range }) => {
    const words = codes(range).map((word) => (word === 'true' || word === 'false' ? word === 'true' : word))
    for (const word of words) expect(isAccepted(path, word), `${word}`).toBe(true)
    expect(words.map(String).sort()).toEqual(allowedWords(path).sort())
  })

  test('has a range of one of these kinds for all but the collaborators', () => {
    const others = rows.filter((row) => !numeric.includes(row) && !worded.includes(row))
    expect(others.map(({ path }) => path).sort()).toEqual(['backoff', 'clock', 'logger', 'metrics', 'name', 'random'])
  })
})
