import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { figuresOf, outcomesOf } from '../src/evaluate.ts'
import { fillIn } from '../src/page.ts'
import { type Result, renderPart } from '../src/results.ts'
import type { Circumstances } from '../src/versions.ts'
import type { Sample } from '../src/workload.ts'
import { scaleConnections } from '../src/workloads/scale-connections.ts'
import { WORKLOADS } from '../src/workloads.ts'

const DOCS = path.resolve(import.meta.dirname, '../../docs')
const page = readFileSync(path.join(DOCS, 'performance.md'), 'utf8')

const SETTING: Circumstances = {
  date: '2026-01-02T03:04:05.000Z',
  node: '20.19.0',
  v8: '11.3',
  machine: '2 × a processor, Linux x64',
  versions: { wellpool: '0.1.0' },
}

/** Figures for every size: each metric costs ten times as much at 10,000 connections as at 100. */
function steep(): Result {
  const sample = (size: string): Sample =>
    Object.fromEntries(scaleConnections.metrics.map(({ name }) => [name, size === '10000' ? 1_000 : 100]))
  const samples = Object.fromEntries(scaleConnections.contenders.map((size) => [size, [sample(size), sample(size)]]))
  return {
    workload: scaleConnections,
    rounds: 2,
    surroundings: undefined,
    samples,
    figures: figuresOf(scaleConnections, samples),
    outcomes: outcomesOf(scaleConnections, samples),
  }
}

describe('docs/performance.md', () => {
  test.each(WORKLOADS.map(({ name }) => name))('has a place for the figures of %s', (name) => {
    expect(fillIn(page, 'bench', { [name]: 'figures' })).toContain(`<!-- bench:${name} -->\nfigures\n<!-- /bench:${name} -->`)
  })

  test('has a place for the lines of the acceptance', () => {
    expect(() => fillIn(page, 'acceptance', { lines: '' })).not.toThrow()
  })

  test('has every picture that it shows', () => {
    const pictures = [...page.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, file = '']) => file)
    expect(pictures.filter((file) => !existsSync(path.join(DOCS, file)))).toEqual([])
  })
})

describe('the part of a workload', () => {
  const part = renderPart(steep(), SETTING, 'npm run bench -- scale')

  test('has a row for each contender, what became of the targets, the pictures, and how it was measured', () => {
    expect(part).toContain('| 10000 | 1000 |')
    expect(part).toContain('- missed  acquire of 10000 ≤ 5 × 100: 10.00 (10.00–10.00)')
    expect(part).toContain('![One acquire](images/scale-acquire.svg)')
    expect(part).toContain('2026-01-02, `npm run bench -- scale`, 2 rounds, Node 20.19.0, 2 × a processor, Linux x64, wellpool 0.1.0')
  })
})
