import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import type { Kind } from './kinds.ts'
import type { PlantedBug } from './planted-bugs.ts'

const ENGINE = fileURLToPath(new URL('../../src/engine/', import.meta.url))
const HUNT = fileURLToPath(new URL('hunt.ts', import.meta.url))

/** How a hunt ended: the first seed that shows the bug and what it shows; no problem if none did. */
export interface HuntResult {
  readonly seed: number
  readonly problem?: string
}

/** Plays the seeds against an engine with the bug in it, in a process of its own, until one shows it. */
export async function hunt(bug: PlantedBug, kind: Kind, from: number, to: number, timeLimitMs: number): Promise<HuntResult> {
  return run(await bundle(bug), [kind, String(from), String(to)], timeLimitMs)
}

/** @throws Error if the text to replace is not in the file exactly once: then the engine has changed, and the bug has to */
export function plant(source: string, { name, file, find, replace }: PlantedBug): string {
  const found = source.split(find).length - 1
  if (found !== 1)
    throw new Error(`the planted bug "${name}" does not fit any more: its text is ${found} times in ${file}, instead of once`)
  return source.replace(find, () => replace)
}

async function bundle(bug: PlantedBug): Promise<string> {
  let planted = false
  const plugin: Plugin = {
    name: 'planted-bug',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
        if (file !== path.join(ENGINE, bug.file)) return undefined
        planted = true
        return { contents: plant(await readFile(file, 'utf8'), bug), loader: 'ts' }
      })
    },
  }
  const { outputFiles } = await build({
    entryPoints: [HUNT],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    tsconfigRaw: {},
    logLevel: 'silent',
    plugins: [plugin],
  })
  if (!planted) throw new Error(`the planted bug "${bug.name}" is in ${bug.file}, which the simulation does not use`)
  return outputFiles[0]?.text ?? ''
}

function run(program: string, args: readonly string[], timeLimitMs: number): Promise<HuntResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-', ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {},
    })
    const overdue = setTimeout(() => child.kill('SIGKILL'), timeLimitMs)
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(overdue)
      if (code === 0) resolve(JSON.parse(output) as HuntResult)
      else reject(new Error(`the hunt ended with ${code ?? 'a time-out'}: ${errors.slice(-2000)}`))
    })
    child.stdin.end(program)
  })
}
