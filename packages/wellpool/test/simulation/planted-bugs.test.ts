import { availableParallelism } from 'node:os'
import { beforeAll, describe, expect, test } from 'vitest'
import { type HuntResult, hunt, plant } from './plant.ts'
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs.ts'

/** What the simulation of `npm test` plays. */
const SEEDS = 2000
const TIME_LIMIT_MS = 240_000

describe('the simulation notices', () => {
  const found = new Map<PlantedBug, HuntResult | Error>()
  beforeAll(async () => {
    const left = [...PLANTED_BUGS]
    const huntNext = async (): Promise<void> => {
      for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
        found.set(bug, await hunt(bug, 1, SEEDS, TIME_LIMIT_MS).catch((error: Error) => error))
      }
    }
    await Promise.all(Array.from({ length: availableParallelism() }, huntNext))
  }, TIME_LIMIT_MS)

  test.each(PLANTED_BUGS)('that $name', (bug) => {
    const result = found.get(bug)
    expect(result).not.toBeInstanceOf(Error)
    expect(result).toMatchObject({ problem: expect.any(String), seed: expect.any(Number) })
  })

  test('no bug twice', () => {
    expect(new Set(PLANTED_BUGS.map(({ file, find, replace }) => file + find + replace)).size).toBe(PLANTED_BUGS.length)
    expect(PLANTED_BUGS.length).toBeGreaterThanOrEqual(20)
  })
})

describe('a planted bug', () => {
  const bug: PlantedBug = { name: 'a wrong sum', file: 'sum.ts', find: 'a + b', replace: 'a - b' }

  test('takes the place of its text', () => {
    expect(plant('const sum = a + b', bug)).toBe('const sum = a - b')
  })

  test.each([
    ['is gone', 'const sum = b + a'],
    ['is there twice', 'const sum = a + b, same = a + b'],
  ])('is refused when its text %s', (_, source) => {
    expect(() => plant(source, bug)).toThrow('does not fit any more')
  })
})
