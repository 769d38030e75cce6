import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { putInPlace } from '../put-in-place.mjs'

let root: string
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'wellpool-put-in-place-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** Writes a folder, file by file. */
function write(name: string, files: Record<string, string>): string {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name, file)), { recursive: true })
    writeFileSync(path.join(root, name, file), text)
  }
  return path.join(root, name)
}

function read(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const files = entries.map(({ parentPath, name }) => path.join(parentPath, name)).sort()
  return Object.fromEntries(files.map((file) => [path.relative(folder, file), readFileSync(file, 'utf8')]))
}

describe('putInPlace', () => {
  test('makes a folder that was not there', () => {
    const fresh = write('fresh', { 'index.js': '1', 'engine/pool.js': '2' })
    putInPlace(fresh, path.join(root, 'dist'))
    expect(read(path.join(root, 'dist'))).toEqual({ 'engine/pool.js': '2', 'index.js': '1' })
    expect(existsSync(fresh)).toBe(false)
  })

  test('adds, replaces and removes', () => {
    const folder = write('dist', { 'index.js': 'old', 'engine/gone.js': 'old', 'engine/pool.js': 'same' })
    putInPlace(write('fresh', { 'index.js': 'new', 'engine/pool.js': 'same', 'drivers/ssh.js': 'new' }), folder)
    expect(read(folder)).toEqual({ 'drivers/ssh.js': 'new', 'engine/pool.js': 'same', 'index.js': 'new' })
  })

  test('leaves a file alone that is the same', () => {
    const folder = write('dist', { 'index.js': 'same' })
    const long = new Date(1_000_000)
    utimesSync(path.join(folder, 'index.js'), long, long)
    putInPlace(write('fresh', { 'index.js': 'same', 'more.js': 'new' }), folder)
    expect(statSync(path.join(folder, 'index.js')).mtime).toEqual(long)
  })

  test('hides no file from who reads meanwhile', async () => {
    const folder = write('dist', { 'index.js': 'version 0' })
    const reader = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads')
       const { readFileSync } = require('node:fs')
       let stop = false
       const seen = []
       parentPort.on('message', () => { stop = true })
       const look = () => {
         for (let time = 0; time < 100; time++) {
           try { seen.push(readFileSync(workerData, 'utf8')) } catch (error) { seen.push(error.code) }
         }
         if (stop) parentPort.postMessage([...new Set(seen)])
         else setImmediate(look)
       }
       parentPort.postMessage('reading')
       look()`,
      { eval: true, workerData: path.join(folder, 'index.js') },
    )
    const next = (): Promise<unknown> => new Promise((resolve) => reader.once('message', resolve))
    await next()
    for (let version = 1; version <= 100; version++) putInPlace(write('fresh', { 'index.js': `version ${version}` }), folder)
    const answer = next()
    reader.postMessage('enough')
    const seen = (await answer) as string[]
    await reader.terminate()
    expect(seen.filter((text) => !text.startsWith('version '))).toEqual([])
    expect(seen).toContain('version 100')
  })
})
