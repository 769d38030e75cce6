import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isInstalled } from '../bootstrap.mjs'

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
