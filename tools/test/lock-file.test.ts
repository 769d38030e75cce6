import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../bootstrap.mjs'

interface Entry {
  resolved?: string
  link?: boolean
  optionalDependencies?: Record<string, string>
}
const packages: Record<string, Entry> = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages

/** Whether a package finds another one: in its own node_modules, or in those of the folders above it. */
function finds(from: string, name: string): boolean {
  const own = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`
  if (own in packages) return true
  return from !== '' && finds(from.replace(/(?:^|\/)(?:node_modules\/(?:@[^/]+\/)?)?[^/]+$/, ''), name)
}

test('the lock file knows the packages of every platform: npm ci refuses one that does not', () => {
  const missing = Object.entries(packages).flatMap(([from, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !finds(from, name)),
  )
  expect(missing).toEqual([])
})

test('the lock file names no registry, so that each reader’s own is used', () => {
  const named = Object.entries(packages).filter(([, { resolved, link }]) => resolved !== undefined && link !== true)
  expect(named.map(([name]) => name)).toEqual([])
})
