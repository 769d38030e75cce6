import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { checkLayers, importsOf } from '../check-layers.mjs'

const rules = {
  rows: [['clock'], ['options'], ['pool']],
  contract: ['options'],
  folders: {
    adapters: { peers: false, on: ['drivers'] },
    drivers: { peers: false },
    shared: { peers: true, shared: true },
    testing: { peers: true },
  },
}
const sound = {
  'index.ts': "export { createPool } from './engine/pool.ts'\nexport * from './engine/options.ts'",
  'engine/clock.ts': 'export const clock = 1',
  'engine/options.ts': "import type { Clock } from './clock.ts'",
  'engine/pool.ts': "import { a } from './options.ts'\nimport { once } from 'node:events'",
  'drivers/ssh.ts': "import { Client } from 'ssh2'\nimport { PoolOptions } from '../engine/options.ts'\nimport './ssh-channel.ts'",
  'drivers/redis.ts': "import '../shared/secrets.ts'",
  'shared/secrets.ts': "import '../engine/options.ts'\nimport './text.ts'",
  'shared/text.ts': '',
  'drivers/ssh-channel.ts': "import { ConfigError } from '../index.ts'",
  'adapters/old-pool.ts': "import '../drivers/ssh.ts'\nimport './old-pool-queue.ts'",
  'adapters/old-pool-queue.ts': '',
  'testing/proxy.ts': "import './heap.ts'",
  'testing/heap.ts': '',
}
let folder: string | undefined

afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true })
  folder = undefined
})

/** What is wrong with a tree of sources that differs from the sound one. */
function check(changes: Record<string, string | undefined>): string[] {
  folder = mkdtempSync(path.join(tmpdir(), 'wellpool-layers-'))
  for (const [file, source] of Object.entries({ ...sound, ...changes })) {
    if (source === undefined) continue
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    writeFileSync(path.join(folder, file), source)
  }
  return checkLayers(folder, rules)
}

describe('checkLayers', () => {
  test('finds nothing wrong with what is in order', () => {
    expect(check({})).toEqual([])
  })

  test.each<[what: string, changes: Record<string, string | undefined>, problem: string]>([
    ['a file in no row', { 'engine/extra.ts': '' }, 'engine/extra.ts is in no row'],
    ['a row for a file that is gone', { 'engine/clock.ts': undefined }, 'names engine/clock.ts, which does not exist'],
    [
      'an import from a higher row',
      { 'engine/clock.ts': "import { b } from './pool.ts'" },
      'engine/clock.ts (row 1) imports engine/pool.ts',
    ],
    [
      'a type from a higher row',
      { 'engine/clock.ts': "export type B = import('./pool.ts').B" },
      'engine/clock.ts (row 1) imports engine/pool.ts',
    ],
    ['a file that imports itself', { 'engine/clock.ts': "export * from './clock.ts'" }, 'only lower rows'],
    ['an engine that knows a driver', { 'engine/pool.ts': "import '../drivers/ssh.ts'" }, 'nothing outside its folder'],
    ['an engine with a dependency', { 'engine/pool.ts': "import 'lodash'" }, 'the engine depends on no package'],
    ['drivers that know each other', { 'drivers/redis.ts': "import './ssh.ts'" }, 'drivers never import each other'],
    ['a driver that knows the machinery', { 'drivers/ssh.ts': "import '../engine/pool.ts'" }, 'only the contract is known'],
    ['a driver that knows an adapter', { 'drivers/ssh.ts': "import '../adapters/old-pool.ts'" }, 'folders do not know each other'],
    ['adapters that know each other', { 'adapters/tarn.ts': "import './old-pool.ts'" }, 'adapters never import each other'],
    ['an adapter that looks inside a driver', { 'adapters/tarn.ts': "import '../drivers/ssh-channel.ts'" }, 'do not know each other'],
    ['a driver that knows test tools', { 'drivers/ssh.ts': "import '../testing/heap.ts'" }, 'folders do not know each other'],
    ['shared parts that know a driver', { 'shared/text.ts': "import '../drivers/ssh.ts'" }, 'folders do not know each other'],
    ['shared parts that know the machinery', { 'shared/text.ts': "import '../engine/pool.ts'" }, 'only the contract is known'],
    ['an engine that knows the shared parts', { 'engine/pool.ts': "import '../shared/text.ts'" }, 'nothing outside its folder'],
    ['a folder without a rule', { 'extras/x.ts': '' }, 'a folder without a rule'],
    ['an index that does more than export', { 'index.ts': "import { x } from './engine/pool.ts'\nx()" }, 'does more than export'],
  ])('finds %s', (_, changes, problem) => {
    expect(check(changes)).toEqual([expect.stringContaining(problem)])
  })
})

test('importsOf finds every way to import, and none in comments', () => {
  const source = `
    import a from './a.ts'
    import type { B } from "./b.ts"
    import {
      c,
    } from './c.ts'
    export * from './d.ts'
    import './e.ts'
    const f = await import('./f.ts')
    type G = import('./g.ts').G
    // import h from './h.ts'
    /* import i from './i.ts' */
  `
  expect(importsOf(source)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts', './g.ts'])
})
