import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isInstalled, isStale } from '../bootstrap.mjs'

interface Entry {
  version?: string
  link?: boolean
  optional?: boolean
}
let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'wellpool-bootstrap-'))
  mkdirSync(path.join(folder, 'node_modules'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(file: string, packages: Record<string, Entry>): void {
  writeFileSync(path.join(folder, file), JSON.stringify({ lockfileVersion: 3, packages }))
}
const lock = (packages: Record<string, Entry>): void => write('package-lock.json', { '': { version: '1.0.0' }, ...packages })
const installed = (packages: Record<string, Entry>): void => write('node_modules/.package-lock.json', packages)

describe('isInstalled', () => {
  test('is true when every package is there in its version', () => {
    lock({ 'node_modules/a': { version: '1.0.0' }, 'packages/x': {}, 'node_modules/x': { link: true } })
    installed({ 'node_modules/a': { version: '1.0.0' }, 'packages/x': {}, 'node_modules/x': { link: true }, 'node_modules/more': {} })
    expect(isInstalled(folder)).toBe(true)
  })

  test('is false when nothing has been installed', () => {
    lock({})
    expect(isInstalled(folder)).toBe(false)
  })

  test('is false when a package is missing', () => {
    lock({ 'node_modules/a': { version: '1.0.0' }, 'packages/x/node_modules/b': { version: '2.0.0' } })
    installed({ 'node_modules/a': { version: '1.0.0' } })
    expect(isInstalled(folder)).toBe(false)
  })

  test('is false when a package is there in another version', () => {
    lock({ 'node_modules/a': { version: '1.1.0' } })
    installed({ 'node_modules/a': { version: '1.0.0' } })
    expect(isInstalled(folder)).toBe(false)
  })

  test('does not miss optional packages for other platforms, but sees that one is outdated', () => {
    lock({ 'node_modules/a-windows': { version: '1.1.0', optional: true } })
    installed({})
    expect(isInstalled(folder)).toBe(true)
    installed({ 'node_modules/a-windows': { version: '1.0.0', optional: true } })
    expect(isInstalled(folder)).toBe(false)
  })
})

describe('isStale', () => {
  const at = (file: string, seconds: number): void => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    writeFileSync(path.join(folder, file), '')
    utimesSync(path.join(folder, file), seconds, seconds)
  }
  /** The age of a folder changes with what is written into it. */
  const folderAt = (name: string, seconds: number): void => utimesSync(path.join(folder, name), seconds, seconds)

  test('is false where there is no package', () => {
    expect(isStale(folder)).toBe(false)
    expect(isStale(path.join(folder, 'none'))).toBe(false)
  })

  test.each(['dist/index.js', 'dist/index.html'])('is true until there is %s, as old as the newest source', (entry) => {
    at('package.json', 1_000)
    if (entry.endsWith('.html')) at('index.html', 1_000)
    at('src/index.ts', 2_000)
    folderAt('src', 1_500)
    expect(isStale(folder)).toBe(true)
    at(entry, 2_000)
    expect(isStale(folder)).toBe(false)
    at('src/index.ts', 3_000)
    folderAt('src', 1_500)
    expect(isStale(folder)).toBe(true)
  })

  test('sees that a source was removed, and looks at nothing that is no source', () => {
    at('package.json', 1_000)
    at('src/index.ts', 1_000)
    at('dist/index.js', 2_000)
    folderAt('src', 1_000)
    for (const other of ['README.md', 'test/a.test.ts', 'dist/other.js', 'dist.new-x/index.js', 'node_modules/a/index.js']) at(other, 3_000)
    expect(isStale(folder)).toBe(false)
    folderAt('src', 3_000)
    expect(isStale(folder)).toBe(true)
  })
})
