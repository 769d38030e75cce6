import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { readPage, root } from '../../../wellpool/test/docs/markdown.ts'
import { DRIVERS } from '../../src/config/drivers.ts'
import { startScene } from '../support/server.ts'
import { commandOf } from './support.ts'

const dockerfile = readPage('ops/docker/Dockerfile').replaceAll('\\\n', ' ')
const json = (file: string) => JSON.parse(readPage(file))

/** What stands behind each use of an instruction. */
const instructions = (name: string): string[] => [...dockerfile.matchAll(new RegExp(`^${name} (.*)$`, 'gm'))].map(([, rest = '']) => rest)

/** Whether a path is part of what Docker is sent: the last line that fits it decides. */
function isSent(file: string): boolean {
  const parts = file.split('/')
  const covers = (pattern: string): boolean => {
    if (pattern === '*') return true
    if (pattern.startsWith('**/'))
      return parts.some((part) => new RegExp(`^${pattern.slice(3).replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(part))
    return file === pattern || file.startsWith(`${pattern}/`)
  }
  const rules = readPage('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  return rules.reduce((sent, rule) => (covers(rule.replace(/^!/, '')) ? rule.startsWith('!') : sent), true)
}

describe('ops/docker/Dockerfile', () => {
  test('copies what there is, and what Docker is sent', () => {
    const copied = instructions('COPY')
      .filter((rest) => !rest.startsWith('--from='))
      .flatMap((rest) => rest.split(' ').slice(0, -1))
      .filter((file) => file !== '.')
    expect(copied.length).toBeGreaterThan(2)
    for (const file of copied) expect([file, existsSync(path.join(root, file)), isSent(file)]).toEqual([file, true, true])
  })

  test('is built from all that npm ci and the build need, and from nothing of the machine’s', () => {
    const { workspaces } = json('package.json')
    expect(workspaces).toEqual(['packages/*', 'bench'])
    const needed = [
      'package-lock.json',
      'tsconfig.base.json',
      'tools/prepack.mjs',
      'bench/package.json',
      'packages/demo/package.json',
      'packages/server/src/cli/main.ts',
      'packages/server/tsconfig.build.json',
      'packages/wellpool/src/index.ts',
      'LICENSE',
    ]
    for (const file of needed) expect([file, existsSync(path.join(root, file)), isSent(file)]).toEqual([file, true, true])
    for (const file of [
      '.git/config',
      'node_modules/pg/package.json',
      'packages/server/dist/index.js',
      'packages/server/test/docs.test.ts',
      '.env',
    ])
      expect([file, isSent(file)]).toEqual([file, false])
  })

  test('packs every package that is published', () => {
    const published = readdirSync(path.join(root, 'packages'))
      .map((folder) => json(`packages/${folder}/package.json`))
      .flatMap(({ name, private: isPrivate }) => (isPrivate === true ? [] : [name]))
    const pack = instructions('RUN').find((rest) => rest.includes('npm pack')) ?? ''
    expect([...pack.matchAll(/--workspace (\S+)/g)].map(([, name]) => name).sort()).toEqual(published.sort())
  })

  test('has the client library of each protocol that a file may have, in the version that is tested', () => {
    const { dependencies } = json('ops/docker/package.json')
    const clients = Object.values(DRIVERS).flatMap(({ client = [] }) => client)
    expect(Object.keys(dependencies).sort()).toEqual(clients.sort())
    const { devDependencies } = json('packages/wellpool/package.json')
    for (const [name, range] of Object.entries(dependencies)) expect([name, range]).toEqual([name, devDependencies[name]])
  })

  test('runs the command, without a shell that would keep signals from it, and not as root', () => {
    const [words = '[]'] = instructions('CMD')
    expect(commandOf(JSON.parse(words))).toBe('serve')
    expect(instructions('ENTRYPOINT')).toEqual([`["${Object.keys(json('packages/server/package.json').bin)[0]}"]`])
    expect(instructions('STOPSIGNAL')).toEqual(['SIGTERM'])
    expect(instructions('USER')).toEqual(['1000:1000'])
  })

  test('names the version that there is', () => {
    expect(readPage('ops/docker/Dockerfile')).toContain(`-t wellpool:${json('packages/server/package.json').version} `)
  })
})

// Each probe is a process, which may take its time to start on a busy machine.
describe('ops/docker/probe.mjs', { timeout: 60_000 }, () => {
  const probe = async (url: string, ...args: string[]): Promise<{ code: number; stderr: string }> => {
    const [, words = '[]'] = /CMD (\[.*\])$/.exec(instructions('HEALTHCHECK')[0] ?? '') ?? []
    const [, script, ...first] = JSON.parse(words) as string[]
    expect(script).toBe('/opt/wellpool/probe.mjs')
    const file = path.join(root, 'ops/docker/probe.mjs')
    const run = promisify(execFile)(process.execPath, [file, ...(args.length > 0 ? args : first)], { env: { WELLPOOL_URL: url } })
    return run.then(
      ({ stderr }) => ({ code: 0, stderr }),
      ({ code, stderr }) => ({ code, stderr }),
    )
  }

  test('ends with 0 if the agent is well, and says why not otherwise', async () => {
    const { url, pools, server } = await startScene({ withTokens: true })
    expect(await probe(url)).toEqual({ code: 0, stderr: '' })
    expect(await probe(url, '/readyz')).toEqual({ code: 0, stderr: '' })
    pools.get('orders')?.pause()
    expect(await probe(url)).toEqual({ code: 0, stderr: '' })
    expect(await probe(url, '/readyz')).toEqual({ code: 1, stderr: expect.stringContaining('/readyz answers 503: {"status":"not ready"') })
    await server.close()
    expect(await probe(url)).toEqual({ code: 1, stderr: expect.stringContaining('does not answer: connect ECONNREFUSED') })
  })
})
