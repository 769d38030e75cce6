import { describe, expect, test } from 'vitest'
import { parseArguments } from '../../chaos/arguments.ts'
import { CONTENDERS } from '../../chaos/pools.ts'
import { SCENARIOS } from '../../chaos/scenarios.ts'
import { durationOf, type Plan, phasesOf } from '../../chaos/schedule.ts'

const planOf = (...args: string[]): Plan => parseArguments(args, SCENARIOS).plan

describe('the schedule', () => {
  test('has the runs of one contender side by side, and no others beside them', () => {
    for (const jobs of phasesOf(planOf('silent', 'refused-5s'))) expect(new Set(jobs.map(({ contender }) => contender)).size).toBe(1)
  })

  test('has all pools side by side in what takes long', () => {
    const phases = phasesOf(planOf('random'))
    expect(phases).toHaveLength(1)
    expect(phases[0]?.map(({ contender }) => contender)).toEqual(['wellpool', 'pg-pool', 'generic-pool', 'knex', 'postgres.js'])
  })

  test('turns the order of the contenders round in every other round', () => {
    const order = phasesOf(planOf('silent', '--rounds', '2', '--variants', 'base')).map(([job]) => job?.contender)
    const inBase = CONTENDERS.filter((contender) => contender !== 'wellpool+10')
    expect(order).toEqual([...inBase, ...[...inBase].reverse()])
  })

  test('leaves wrappers out of the variants', () => {
    const jobs = phasesOf(planOf('silent', '--rounds', '1')).flat()
    expect(jobs.filter(({ contender }) => contender === 'knex').map(({ variant }) => variant)).toEqual(['base', 'long', 'far'])
    expect(jobs.filter(({ contender }) => contender === 'knex+retry').map(({ variant }) => variant)).toEqual(['base'])
  })

  test('has ten connects at a time where connects take long, and there alone unless asked for', () => {
    const variants = (...args: string[]): string[] =>
      phasesOf(planOf('silent', '--rounds', '1', ...args))
        .flat()
        .filter(({ contender }) => contender === 'wellpool+10')
        .map(({ variant }) => variant)
    expect(variants()).toEqual(['far'])
    expect(variants('--pools', 'wellpool+10')).toEqual(['base', 'long', 'far'])
  })

  test('gives a minute to kills and ten minutes to chance where tables are kept', () => {
    const seconds = (...args: string[]): number[] =>
      phasesOf(planOf('killed-each-second', 'random', '--pools', 'wellpool', '--variants', 'base', '--rounds', '1', ...args))
        .flat()
        .map((job) => job.seconds)
    expect(seconds()).toEqual([20, 120])
    expect(seconds('--long')).toEqual([64, 600])
    expect(seconds('--seconds', '7')).toEqual([7, 7])
  })

  test('as a whole fits into 35 minutes, and one round of Wellpool alone into five', () => {
    expect(durationOf(phasesOf(planOf('--write-docs')), 6, 4_000) / 60_000).toBeLessThan(35)
    expect(durationOf(phasesOf(planOf('--pools', 'wellpool', '--rounds', '1')), 6, 4_000) / 60_000).toBeLessThan(5)
  })
})

describe('arguments', () => {
  test('for the tables that are kept take long, or what earlier runs have measured', () => {
    expect(planOf('--write-docs')).toMatchObject({ long: true, contenders: CONTENDERS })
    expect(parseArguments(['--from', 'a.json,b.json', '--write-docs'], SCENARIOS)).toMatchObject({
      from: ['a.json', 'b.json'],
      writeDocs: true,
    })
  })

  test('choose in the order of the tables', () => {
    const { scenarios, contenders, variants } = planOf('silent', 'restarted', '--pools', 'knex,wellpool', '--variants', 'far,base')
    expect(scenarios.map(({ name }) => name)).toEqual(['restarted', 'silent'])
    expect(contenders).toEqual(['wellpool', 'knex'])
    expect(variants).toEqual(['base', 'far'])
  })

  test('are told again without the files of this machine', () => {
    const selectionOf = (...args: string[]): readonly string[] => parseArguments(args, SCENARIOS).selection
    expect(selectionOf('silent', '--json', '/home/me/results.json', '--rounds', '3')).toEqual(['silent', '--rounds', '3'])
    expect(selectionOf('--json=/home/me/results.json', '--write-docs')).toEqual(['--write-docs'])
  })

  test.each([
    [['sylent'], /no scenario is called sylent/],
    [['--pools', 'wellpol'], /no pool is called wellpol; there are wellpool, /],
    [['--variants', 'near'], /no variant is called near/],
    [['--rounds', '0'], /--rounds: got '0', allowed is a whole number from 1/],
    [['--seconds', 'long'], /--seconds: got 'long'/],
    [['silent', '--write-docs'], /--write-docs: the tables are of all scenarios, pools and variants/],
    [['--pools', 'wellpool', '--write-docs'], /--write-docs: the tables are of all/],
  ])('%j are refused with what is allowed', (args, message) => {
    expect(() => planOf(...args)).toThrow(message)
  })
})
