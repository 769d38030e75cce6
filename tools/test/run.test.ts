import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { root } from '../bootstrap.mjs'

let folder: string

beforeEach(async () => {
  await mkdir(path.join(root, '.cache'), { recursive: true })
  folder = await mkdtemp(path.join(root, '.cache/run-'))
})
afterEach(() => rm(folder, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly lines: string[]
}

/** Runs a program of a few files as `npm run` would, the first of them. */
async function run(files: Record<string, string>, env: Record<string, string> = {}): Promise<Ended & { readonly signal: string | null }> {
  for (const [name, source] of Object.entries(files)) await writeFile(path.join(folder, name), source)
  const program = path.relative(root, path.join(folder, Object.keys(files)[0] ?? ''))
  const start = `import('${new URL('../bootstrap.mjs', import.meta.url).href}').then(({ run }) => run(${JSON.stringify(program)}, ['--seconds', '5']))`
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['-e', start], { env: { ...process.env, ...env } }, (_error, stdout) => {
      const lines = stdout.split('\n').filter((line) => line !== '')
      resolve({ code: child.exitCode, signal: child.signalCode, lines })
    })
  })
}

describe('run', { timeout: 30_000 }, () => {
  test('runs TypeScript with its arguments, and ends with its exit code', async () => {
    const source = `
      import { answer } from './other.ts'
      class Box<Value> { readonly #value: Value; constructor(value: Value) { this.#value = value } get value(): Value { return this.#value } }
      console.log(new Box<number>(answer).value, process.argv.slice(2).join(' '))
      process.exitCode = 7
    `
    expect(await run({ 'main.ts': source, 'other.ts': 'export const answer: number = 42' })).toMatchObject({
      code: 7,
      lines: ['42 --seconds 5'],
    })
  })

  test('lets its worker threads and child processes be TypeScript too', async () => {
    const main = `
      import { fork } from 'node:child_process'
      import { once } from 'node:events'
      import { fileURLToPath } from 'node:url'
      import { Worker } from 'node:worker_threads'
      await once(new Worker(new URL('worker.ts', import.meta.url)), 'exit')
      await once(fork(fileURLToPath(new URL('worker.ts', import.meta.url))), 'exit')
    `
    const worker = "const text: string = 'here'\nconsole.log(text)"
    expect(await run({ 'main.ts': main, 'worker.ts': worker })).toMatchObject({ code: 0, lines: ['here', 'here'] })
  })

  test('names the line of the TypeScript source when it fails', async () => {
    const source = "interface Gone { value: string }\n\nconsole.log(new Error('x').stack?.split('\\n')[1])"
    const { lines } = await run({ 'main.ts': source })
    expect(lines[0]).toMatch(/main\.ts:3:/)
  })

  test('gives the program its signals: none is caught or delayed on the way', async () => {
    const source =
      "process.on('SIGTERM', () => { console.log('cleaned up'); process.exit(3) })\nprocess.kill(process.pid, 'SIGTERM')\nsetInterval(() => {}, 1000)"
    expect(await run({ 'main.ts': source })).toMatchObject({ code: 3, lines: ['cleaned up'] })
  })
})

test('a program that npm runs gets a SIGTERM when npm and its shell are gone', { timeout: 30_000 }, async () => {
  const note = path.join(folder, 'note')
  const main = `
    import { writeFileSync } from 'node:fs'
    process.on('SIGTERM', () => { writeFileSync(${JSON.stringify(note)}, 'cleaned up'); process.exit(0) })
    console.log('ready')
    setInterval(() => {}, 1000)
  `
  await writeFile(path.join(folder, 'main.ts'), main)
  const program = path.relative(root, path.join(folder, 'main.ts'))
  const bootstrap = new URL('../bootstrap.mjs', import.meta.url).href
  const inner = `import('${bootstrap}').then(({ run }) => run(${JSON.stringify(program)}, []))`
  // The process in between stands for npm's shell: it is killed as soon as the program runs.
  const shell = `
    const { spawn } = require('node:child_process')
    const env = { ...process.env, npm_lifecycle_event: 'start' }
    const program = spawn(process.execPath, ['-e', ${JSON.stringify(inner)}], { stdio: ['ignore', 'pipe', 'inherit'], env })
    program.stdout.once('data', () => process.kill(process.pid, 'SIGKILL'))
  `
  await new Promise<void>((resolve) => {
    execFile(process.execPath, ['-e', shell], () => resolve())
  })
  await expect.poll(() => readFile(note, 'utf8').catch(() => ''), { timeout: 10_000 }).toBe('cleaned up')
})
