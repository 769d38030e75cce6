import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { play, type Scenario } from './scenario.ts'

const folder = new URL('./', import.meta.url)
const files = readdirSync(folder).filter((file) => file.endsWith('.json'))

describe.each(files)('%s', (file) => {
  const scenarios = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Scenario[]

  test.each(scenarios.map((scenario) => [scenario.title, scenario] as const))('%s', async (_, scenario) => {
    expect(await play(scenario)).toEqual(scenario)
  })
})
