import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../bootstrap.mjs'

const execute = promisify(execFile)
const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
let folder: string

/** Runs npm, the one that runs these tests if there is one. */
async function npm(cwd: string, ...args: string[]): Promise<string> {
  const script = process.env.npm_execpath
  const [file, first] = script?.endsWith('.js') ? [process.execPath, [script]] : ['npm', []]
  const { stdout } = await execute(file, [...first, ...args], { cwd })
  return stdout
}

/** Runs a program in the consumer's folder, as a user of the published package would. */
async function runProgram(source: string): Promise<string> {
  const file = path.join(folder, 'program.mjs')
  await writeFile(file, source)
  const { stdout } = await execute(process.execPath, [file], { cwd: folder })
  return stdout.trim()
}

/** Lends a package of this repository to the consumer, which has no registry at hand. */
async function lend(name: string): Promise<void> {
  const link = path.join(folder, 'node_modules', name)
  await mkdir(path.dirname(link), { recursive: true })
  await symlink(path.join(root, 'node_modules', name), link, 'junction')
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'wellpool-package-'))
  const packed = JSON.parse(await npm(path.join(root, 'packages/wellpool'), 'pack', '--json', '--silent', '--pack-destination', folder))
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  await npm(folder, 'install', '--offline', '--no-audit', '--no-fund', `./${packed[0].filename}`)
}, 120_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the published package', () => {
  it('brings no other package with it', async () => {
    const installed = (await readdir(path.join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'))
    expect(installed).toEqual(['wellpool'])
    const manifest = JSON.parse(await readFile(path.join(folder, 'node_modules/wellpool/package.json'), 'utf8'))
    expect(manifest.dependencies).toBeUndefined()
    expect(manifest.scripts?.postinstall).toBeUndefined()
  })

  it('holds the licence, the built files and their sources, and no tests', async () => {
    const files = await readdir(path.join(folder, 'node_modules/wellpool'))
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'dist', 'package.json', 'src']))
    expect(files).not.toContain('test')
  })

  it('has every entry point that its package.json names', async () => {
    const manifest = JSON.parse(await readFile(path.join(root, 'packages/wellpool/package.json'), 'utf8'))
    const entries = Object.values<string | Record<string, string>>(manifest.exports)
    const files = entries.flatMap((entry) => (typeof entry === 'string' ? [entry] : Object.values(entry)))
    const missing: string[] = []
    for (const file of files) await readFile(path.join(folder, 'node_modules/wellpool', file)).catch(() => missing.push(file))
    expect(missing).toEqual([])
  })

  it('can be imported by plain Node without a client library', async () => {
    const output = await runProgram(`
      import { createPool, WellpoolError } from 'wellpool'
      import { fromFactory } from 'wellpool/factory'
      import { createPool as createGenericPool } from 'wellpool/generic-pool'
      import { Pool } from 'wellpool/tarn'
      import { FakeClock } from 'wellpool/testing'
      console.log(typeof createPool, new FakeClock().now() >= 0, WellpoolError.name)
      const factory = { create: async () => ({}), destroy: async () => {} }
      console.log(fromFactory(factory).protocol, createGenericPool(factory).max, new Pool({ ...factory, min: 0, max: 2 }).isEmpty())
    `)
    expect(output).toBe('function true WellpoolError\nfactory 1 true')
  })

  it('can be imported with the PostgreSQL driver when pg is there', async () => {
    await lend('pg')
    const output = await runProgram(`
      import { createPool } from 'wellpool'
      import { postgres } from 'wellpool/postgres'
      const pool = createPool(postgres({ connectionString: 'postgres://127.0.0.1:1/none' }))
      await pool.close()
      console.log(pool.stats().state)
    `)
    expect(output).toBe('closed')
  })

  it('can be imported with the SSH driver and its simulated devices when ssh2 is there', async () => {
    await lend('ssh2')
    const output = await runProgram(`
      import { createPool } from 'wellpool'
      import { ssh } from 'wellpool/ssh'
      import { startDevice } from 'wellpool/testing/devices'
      const device = await startDevice({ platform: 'linux' })
      const { host, port, fingerprint } = device
      const pool = createPool(ssh({ host, port, username: 'admin', password: 'admin', hostKey: fingerprint }))
      console.log((await pool.use((session) => session.run('uname'))).stdout.trim())
      await pool.close()
      await device.close()
    `)
    expect(output).toBe('Linux')
  })

  it('can be required by CommonJS programs, whose pools it stands in for', async () => {
    await lend('pg').catch(() => undefined)
    const output = await runProgram(`
      import { createRequire } from 'node:module'
      const require = createRequire(import.meta.url)
      const pg = require('pg')
      const { Pool } = require('wellpool/pg-pool')
      Object.assign(pg, { Pool })
      const pool = new pg.Pool({ host: '127.0.0.1', port: 1 })
      pool.connect((error) => console.log(error.code, pool.wellpool.protocol))
    `)
    expect(output).toBe('ECONNREFUSED postgres')
  })

  it.each([
    ['mysql', 'mysql2', `mysql({ uri: 'mysql://127.0.0.1:1/none' })`],
    ['redis', 'redis', `redis({ url: 'redis://127.0.0.1:1' })`],
  ])('can be imported with the driver %s when %s is there', async (entry, library, driver) => {
    await lend(library)
    const output = await runProgram(`
      import { createPool } from 'wellpool'
      import { ${entry} } from 'wellpool/${entry}'
      const pool = createPool(${driver})
      await pool.close()
      console.log(pool.stats().state)
    `)
    expect(output).toBe('closed')
  })

  it.each(['nodenext', 'bundler'])('has types that resolve with moduleResolution %s', { timeout: 60_000 }, async (moduleResolution) => {
    for (const name of ['@types/pg', '@types/ssh2', '@types/node']) await lend(name).catch(() => undefined)
    const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext'
    const compilerOptions = { module, moduleResolution, target: 'es2022', strict: true, noEmit: true, types: ['node'] }
    await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
    await writeFile(
      path.join(folder, 'consumer.ts'),
      `
      import { createPool, createPools, type Driver, type Lease, type Pool } from 'wellpool'
      import { postgres } from 'wellpool/postgres'
      import { type Cli, ssh } from 'wellpool/ssh'
      import { FakeClock } from 'wellpool/testing'
      import { startDevice } from 'wellpool/testing/devices'
      import type { Client } from 'pg'

      const driver: Driver<Client> = postgres({ connectionString: 'postgres://127.0.0.1/none' })
      const pool: Pool<Client> = createPool(driver, { clock: new FakeClock(), maxConnections: 3 })
      const lease: Lease<Client> = await pool.acquire({ timeout: '1s' })
      const count: number | null = (await lease.client.query('select 1')).rowCount
      const pools = createPools({ orders: driver })
      const rows: { n: number }[] = await pools.orders.use(async (client) => (await client.query<{ n: number }>('select 1 as n')).rows)
      // @ts-expect-error: no such pool
      pools.billing
      const router = createPool(ssh({ host: 'router-17', username: 'ops', cli: { platform: 'cisco_iosxe' } }))
      const cli: Promise<Cli> = router.use((session) => session.cli)
      const device = await startDevice({ platform: 'linux' })
      console.log(cli, device.fingerprint)
      const any: Pool<unknown> = pool
      console.log(count, rows, any.stats())
      `,
    )
    const { stdout } = await execute(process.execPath, [compiler, '-p', folder]).catch((error: { stdout: string }) => error)
    expect(stdout).toBe('')
  })
})
