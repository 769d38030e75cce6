import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../bootstrap.mjs'

const execute = promisify(execFile)
let folder: string
let files: string[]
let manifest: Record<string, unknown>

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'wellpool-dashboard-package-'))
  const script = process.env.npm_execpath
  const [npm, first] = script?.endsWith('.js') ? [process.execPath, [script]] : ['npm', []]
  const { stdout } = await execute(npm, [...first, 'pack', '--json', '--silent', '--pack-destination', folder], {
    cwd: path.join(root, 'packages/dashboard'),
  })
  const [packed] = JSON.parse(stdout)
  files = packed.files.map(({ path: file }: { path: string }) => file)
  const { stdout: text } = await execute('tar', ['-xzOf', path.join(folder, packed.filename), 'package/package.json'])
  manifest = JSON.parse(text)
}, 180_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the published package of the page', () => {
  it('holds what was built, the licences of all that is in it, and nothing else', () => {
    const others = files.filter((file) => !/^dist\/assets\/[\w-]+-[\w-]{8}\.(?:js|css|svg)$/.test(file))
    expect(others.sort()).toEqual(['LICENSE', 'README.md', 'dist/index.html', 'dist/third-party-licenses.md', 'package.json'])
    expect(files.length - others.length).toBeGreaterThanOrEqual(3)
  })

  it('brings no other package with it', () => {
    expect([manifest.dependencies, manifest.peerDependencies, manifest.optionalDependencies]).toEqual([undefined, undefined, undefined])
  })
})
