import { availableParallelism } from 'node:os'
import { beforeAll, describe, expect, test } from 'vitest'
import { FOUND_BUGS } from './found-bugs.ts'
import { type HuntResult, hunt, plant } from './plant.ts'
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs.ts'

/** What the simulation of `npm test` plays. */
const SEEDS = 2000
const TIME_LIMIT_MS = 400_000

describe('the simulation notices', () => {
  const found = new Map<PlantedBug, HuntResult | Error>()
  beforeAll(async () => {
    const left = [
      ...FOUND_BUGS.map((bug) => ({ bug, from: bug.seed, to: bug.seed })),
      ...PLANTED_BUGS.map((bug) => ({ bug, from: 1, to: SEEDS })),
    ]
    const huntNext = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const { bug, from, to } = next
        found.set(bug, await hunt(bug, bug.kind ?? 'mixed', from, to, TIME_LIMIT_MS).catch((error: Error) => error))
      }
    }
    await Promise.all(Array.from({ length: availableParallelism() }, huntNext))
  }, TIME_LIMIT_MS)

  test.each(PLANTED_BUGS)('that $name', (bug) => {
    expect(found.get(bug)).toMatchObject({ problem: expect.any(String), seed: expect.any(Number) })
  })

  test.each(FOUND_BUGS)('by seed $seed, when it is put back, that $name', (bug) => {
    expect(found.get(bug)).toMatchObject({ problem: expect.any(String) })
  })

  test('no bug twice', () => {
    const bugs = [...PLANTED_BUGS, ...FOUND_BUGS]
    expect(new Set(bugs.map(({ file, find, replace }) => file + find + replace)).size).toBe(bugs.length)
    expect(new Set(bugs.map(({ name }) => name)).size).toBe(bugs.length)
    expect(PLANTED_BUGS.length).toBeGreaterThanOrEqual(50)
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
