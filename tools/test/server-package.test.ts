import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../bootstrap.mjs'

const execute = promisify(execFile)
const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
let folder: string
/** Where the package is unpacked, with this repository's other packages around it. */
let unpacked: string
let files: string[]

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'wellpool-server-package-'))
  const script = process.env.npm_execpath
  const [npm, first] = script?.endsWith('.js') ? [process.execPath, [script]] : ['npm', []]
  const { stdout } = await execute(npm, [...first, 'pack', '--json', '--silent', '--pack-destination', folder], {
    cwd: path.join(root, 'packages/server'),
  })
  const [packed] = JSON.parse(stdout)
  files = packed.files.map(({ path: file }: { path: string }) => file)
  unpacked = path.join(folder, 'package')
  await execute('tar', ['-xzf', path.join(folder, packed.filename), '-C', folder])
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'junction')
  await symlink(path.join(root, 'packages/server/node_modules'), path.join(unpacked, 'node_modules'), 'junction')
}, 180_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the published package of the server', { timeout: 60_000 }, () => {
  it('holds what was built, its sources, the schemas, the licence and its page, and no tests', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'bin/wellpool.js',
        'dist/index.js',
        'dist/index.d.ts',
        'dist/cli/main.js',
        'openapi.json',
        'src/index.ts',
        'wellpool.schema.json',
      ]),
    )
    expect(files.filter((file) => /^test|\.test\.|^dist\/generate/.test(file))).toEqual([])
  })

  it('runs as a command', async () => {
    const { bin, version } = JSON.parse(await readFile(path.join(unpacked, 'package.json'), 'utf8'))
    const command = path.join(unpacked, bin.wellpool)
    expect((await readFile(command, 'utf8')).startsWith('#!/usr/bin/env node\n')).toBe(true)
    expect((await execute(process.execPath, [command, '--version'])).stdout).toBe(`${version}\n`)
    const file = path.join(folder, 'wellpool.yaml')
    await execute(process.execPath, [command, 'init', file])
    expect((await execute(process.execPath, [command, 'check', file])).stdout).toContain('is right: 0 pools')
  })

  it('serves what openapi.json describes', async () => {
    const program = path.join(folder, 'program.mjs')
    await writeFile(
      program,
      `
      import { createServer } from '${path.join(unpacked, 'dist/index.js')}'
      import { createPools } from 'wellpool'
      const pools = createPools({})
      const server = createServer(pools)
      const url = await server.listen({ port: 0 })
      const { paths } = await (await fetch(url + '/api/v1/openapi.json')).json()
      console.log(Object.keys(paths).length, (await fetch(url + '/readyz')).status)
      await server.close()
      await pools.close()
      `,
    )
    const { paths } = JSON.parse(await readFile(path.join(unpacked, 'openapi.json'), 'utf8'))
    expect((await execute(process.execPath, [program])).stdout).toBe(`${Object.keys(paths).length} 200\n`)
  })

  it('brings the page with it', async () => {
    const { dependencies, version } = JSON.parse(await readFile(path.join(unpacked, 'package.json'), 'utf8'))
    expect(dependencies['@wellpool/dashboard']).toBe(version)
    const program = path.join(folder, 'page.mjs')
    await writeFile(
      program,
      `
      import { createServer } from '${path.join(unpacked, 'dist/index.js')}'
      import { createPools } from 'wellpool'
      const server = createServer(createPools({}))
      const url = await server.listen({ port: 0 })
      const page = await (await fetch(url)).text()
      const [, script] = /src="\\.(.+?)"/.exec(page)
      const { status, headers } = await fetch(url + script)
      console.log(/<title>(.+?)</.exec(page)[1], status, headers.get('content-type'))
      await server.close()
      `,
    )
    expect((await execute(process.execPath, [program])).stdout).toBe('Wellpool 200 application/javascript; charset=utf-8\n')
  })

  it.each(['nodenext', 'bundler'])('has types that resolve with moduleResolution %s', async (moduleResolution) => {
    const consumer = path.join(folder, `consumer-${moduleResolution}`)
    await mkdir(path.join(consumer, 'node_modules/@wellpool'), { recursive: true })
    await symlink(unpacked, path.join(consumer, 'node_modules/@wellpool/server'), 'junction')
    const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext'
    const compilerOptions = { module, moduleResolution, target: 'es2022', strict: true, noEmit: true, skipLibCheck: true, types: ['node'] }
    await writeFile(path.join(consumer, 'package.json'), '{ "type": "module" }')
    await writeFile(path.join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
    await writeFile(
      path.join(consumer, 'consumer.ts'),
      `
      import { attach, createServer, createToken, type Role, startAgent, type WellpoolServer } from '@wellpool/server'
      import { type AgentConfig, ConfigFileError, loadConfig } from '@wellpool/server/config'
      import { createPools } from 'wellpool'

      const pools = createPools({})
      const roles: Role[] = ['viewer']
      const server: WellpoolServer = createServer(pools, { tokens: [createToken('x', roles, new Date()).record] })
      const address: string = await server.listen({ port: 0 })
      const config: AgentConfig = await loadConfig('wellpool.yaml')
      // @ts-expect-error: no such option
      createServer(pools, { port: 1 })
      console.log(address, config.pools.size, typeof attach(pools), startAgent, ConfigFileError)
      `,
    )
    const { stdout } = await execute(process.execPath, [compiler, '-p', consumer]).catch((error: { stdout: string }) => error)
    expect(stdout).toBe('')
  })
})
