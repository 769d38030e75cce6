import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { findProgram, freePort, type Program as Needed } from '@wellpool/servers'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { describeWith } from '../../../wellpool/test/support/describe-if.ts'
import { describePostgres } from '../../../wellpool/test/support/postgres.ts'
import { TEST_CERTIFICATE } from '../../../wellpool/test/support/tls.ts'
import { EXIT } from '../../src/cli/exit-codes.ts'
import { cli } from '../support/cli.ts'
import { COMMAND, Program } from '../support/program.ts'
import { startScene, until } from '../support/server.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'wellpool-process-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A process may take its time to start on a busy machine. */
const STARTING = { timeout: 60_000 }

function start(args: readonly string[], env: Record<string, string> = {}, command?: readonly string[]): Program {
  const program = new Program(args, env, command)
  onTestFinished(() => program.kill())
  return program
}

await describePostgres('wellpool serve', (url) => {
  /** Starts an agent of this configuration, and gives its address. */
  async function serve(text: string): Promise<{ agent: Program; file: string; address: string; lines: () => Record<string, unknown>[] }> {
    const port = await freePort()
    const file = path.join(folder, `${port}.yaml`)
    const head = `server: { port: ${port}, dashboard: false }\ndrain_timeout: 5s\n`
    writeFileSync(file, head + text)
    const agent = start(['serve', '--config', file], { URL: url })
    const lines = (): Record<string, unknown>[] =>
      agent.out
        .trim()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
    await until(() => agent.out.includes('"listening"') || agent.err !== '', 40_000)
    expect(agent.err).toBe('')
    return { agent, file, address: `http://127.0.0.1:${port}`, lines }
  }
  const one = 'pools:\n  db: { postgres: "${URL}", min_connections: 1 }\n'

  test('serves, reloads on SIGHUP, and lets leases end on SIGTERM', STARTING, async () => {
    const { agent, file, address, lines } = await serve(one)
    await until(async () => (await cli(['status'], { url: address })).out.includes('1/10'))
    writeFileSync(file, readFileSync(file, 'utf8').replace('min_connections: 1', 'max_connections: 7'))
    agent.signal('SIGHUP')
    await until(async () => (await cli(['status'], { url: address })).out.includes('/7'))
    writeFileSync(file, 'pools: 5\n')
    agent.signal('SIGHUP')
    await until(() => lines().some(({ msg }) => String(msg).startsWith('the file is wrong')))
    expect((await cli(['status'], { url: address })).exitCode).toBe(0)
    agent.signal('SIGTERM')
    expect(await agent.ended()).toEqual({ code: 0, signal: null })
    expect(lines().at(-1)).toMatchObject({ msg: 'stopped' })
    expect((await cli(['status'], { url: address })).exitCode).toBe(EXIT.unreachable)
  })

  test('goes on when nobody reads what it logs any more', STARTING, async () => {
    const { agent, address } = await serve(one)
    agent.closeOutput()
    // It logs that, and finds nobody.
    for (let times = 0; times < 3; times++) {
      const { exitCode } = await cli(['reload'], { url: address })
      expect(exitCode).toBe(0)
    }
    expect((await cli(['status'], { url: address })).exitCode).toBe(0)
    agent.signal('SIGTERM')
    expect(await agent.ended()).toEqual({ code: 0, signal: null })
  })

  test('waits for what runs when it is to end, and does not when it is told twice', STARTING, async () => {
    const text = `${one.replace('min_connections: 1 }', 'min_connections: 1, execute: { allow: ["*"] } }')}`
    const tokens = path.join(folder, 'serve-tokens.json')
    const { out: token } = await cli(['token', 'create', 'x', '--role', 'operator,executor', '--file', tokens])
    const { agent, address, file } = await serve(text)
    agent.signal('SIGTERM')
    await agent.ended()
    writeFileSync(file, readFileSync(file, 'utf8').replace('dashboard: false', `dashboard: false, tokens_file: ${tokens}`))
    const locked = start(['serve', '--config', file], { URL: url })
    await until(() => locked.out.includes('"listening"'), 40_000)
    const ask = (statement: string) => cli(['exec', 'db', '--', statement], { url: address, token: token.trim() })
    const slow = ask('select pg_sleep(1)')
    await until(async () => (await cli(['status', '--json'], { url: address, token: token.trim() })).out.includes('"acquired": 1'))
    locked.signal('SIGINT')
    expect((await slow).exitCode).toBe(0)
    expect(await locked.ended()).toEqual({ code: 0, signal: null })

    const hurried = start(['serve', '--config', file], { URL: url })
    await until(() => hurried.out.includes('"listening"'), 40_000)
    const hanging = ask('select pg_sleep(20)')
    await until(async () => (await cli(['status', '--json'], { url: address, token: token.trim() })).out.includes('"acquired": 1'))
    hurried.signal('SIGTERM')
    await until(() => hurried.out.includes('"draining"'))
    hurried.signal('SIGTERM')
    expect((await hurried.ended()).code).toBe(0)
    expect((await hanging).exitCode).not.toBe(0)
  })

  test('leaves no session at the server behind', STARTING, async () => {
    const { agent, address } = await serve(one)
    await until(async () => (await cli(['status'], { url: address })).out.includes('1/10'))
    agent.signal('SIGTERM')
    await agent.ended()
    const client = new pg.Client(url)
    await client.connect()
    await until(
      async () =>
        (
          await client.query(
            "select 1 from pg_stat_activity where datname = current_database() and application_name = 'wellpool' and query not like '%pg_sleep%'",
          )
        ).rowCount === 0,
    )
    await client.end()
  })

  test('says what is wrong with its file, and ends with 2', STARTING, async () => {
    const file = path.join(folder, 'wrong.yaml')
    writeFileSync(file, 'server: { port: 0 }\npools:\n  db: { postgres: "${URL}", max_conections: 3 }\n')
    const wrong = start(['serve', '--config', file], { URL: url })
    expect((await wrong.ended()).code).toBe(EXIT.usage)
    expect(wrong.err).toContain('wrong.yaml:3:29: pools.db.max_conections: got an unknown option, allowed is max_connections?')
  })

  test('says which of its settings is wrong when it can’t listen', STARTING, async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const file = path.join(folder, 'taken.yaml')
    writeFileSync(file, `server: { port: ${port} }\n`)
    const agent = start(['serve', '--config', file])
    expect((await agent.ended()).code).toBe(EXIT.failed)
    expect(agent.err).toContain(`server.host 127.0.0.1, server.port ${port}: listen EADDRINUSE`)
  })

  test('refuses what check refuses: to be open to all, and files that it can’t use', STARTING, async () => {
    const file = path.join(folder, 'unusable.yaml')
    writeFileSync(path.join(folder, 'cert.pem'), TEST_CERTIFICATE)
    writeFileSync(path.join(folder, 'other-key.pem'), generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
    writeFileSync(path.join(folder, 'no-tokens.json'), '{}')
    const settings = [
      ['host', 'host: 0.0.0.0', 'without tokens everybody who reaches it could steer the pools'],
      ['tls.cert_file', 'tls: { cert_file: none.pem, key_file: none.pem }', 'no such file'],
      ['tls.cert_file', 'tls: { cert_file: no-tokens.json, key_file: other-key.pem }', 'a file that is none, allowed is a certificate'],
      ['tls.key_file', 'tls: { cert_file: cert.pem, key_file: other-key.pem }', 'the key of another certificate'],
      ['tokens_file', 'tokens_file: no-tokens.json', 'is no file of tokens'],
      ['audit_log', 'audit_log: none/audit.log', 'no such file'],
    ] as const
    for (const [setting, text, why] of settings) {
      writeFileSync(file, `server: { port: 0, ${text} }\n`)
      const { exitCode, err } = await cli(['check', '--no-connect', file])
      expect([exitCode, err]).toEqual([
        EXIT.usage,
        expect.stringMatching(new RegExp(`unusable.yaml:1:\\d+: server.${setting}: got .*${why}`)),
      ])
    }
    const agent = start(['serve', '--config', file])
    expect((await agent.ended()).code).toBe(EXIT.usage)
    expect(agent.err).toMatch(/unusable.yaml:1:\d+: server.audit_log: got /)
  })

  test('check tries each target, with what it takes', STARTING, async () => {
    const file = path.join(folder, 'check.yaml')
    const port = await freePort()
    writeFileSync(
      file,
      `pools:\n  db: { postgres: "\${URL}" }\n  away: { postgres: { host: 127.0.0.1, port: ${port}, password: sesame } }\n  line: { tcp: { port: ${port}, probe: ping } }\n`,
    )
    const { exitCode, out } = await cli(['check', file], { env: { URL: url } })
    expect(exitCode).toBe(EXIT.unwell)
    expect(out).toMatch(/check.yaml is right: 3 pools/)
    expect(out).toMatch(/\+ +db +postgres +\S+ m?s +\S+ m?s/)
    expect(out).toMatch(/! +away +postgres +connect failed: .*ECONNREFUSED/)
    expect(out).not.toContain('sesame')
    expect((await cli(['check', file, '--no-connect'], { env: { URL: url } })).exitCode).toBe(0)
    const { targets } = JSON.parse((await cli(['check', file, '--json'], { env: { URL: url } })).out)
    expect(targets.map(({ ok }: { ok: boolean }) => ok)).toEqual([true, false, false])
    writeFileSync(file, 'pools: { a: { postgres: {}, max_conections: 3 } }\n')
    const wrong = await cli(['check', file, '--json'])
    expect([wrong.exitCode, JSON.parse(wrong.err).problems[0]]).toEqual([
      EXIT.usage,
      expect.objectContaining({ line: 1, path: 'pools.a.max_conections' }),
    ])
    expect((await cli(['check', path.join(folder, 'none.yaml')])).exitCode).toBe(EXIT.usage)
  })
})

describe('the process', () => {
  test('of an agent outlives whoever reads its output, also with options before the word serve', STARTING, async () => {
    const port = await freePort()
    const file = path.join(folder, 'outlives.yaml')
    writeFileSync(file, `server: { port: ${port}, dashboard: false }\n`)
    const url = `http://127.0.0.1:${port}`
    const agent = start(['--url', url, 'serve', '--config', file])
    await until(() => agent.out.includes('"listening"'), 40_000)
    agent.closeOutput()
    // Each is logged, and nobody is found.
    for (let times = 0; times < 3; times++) expect((await cli(['reload'], { url })).exitCode).toBe(0)
    agent.signal('SIGTERM')
    expect(await agent.ended()).toEqual({ code: 0, signal: null })
  })

  test('of another command ends when its reader has read enough', STARTING, async () => {
    const { url, server, pools } = await startScene()
    const following = start(['events', '--follow'], { WELLPOOL_URL: url })
    await until(() => server.parts.observation.stream.clients === 1, 40_000)
    following.closeOutput()
    pools.get('orders')?.pause()
    pools.get('orders')?.resume()
    expect(await following.ended()).toEqual({ code: 0, signal: null })
  })

  test('ends as the command says, and with 130 when it is interrupted', STARTING, async () => {
    const { url, server } = await startScene()
    const status = start(['status'], { WELLPOOL_URL: url })
    expect(await status.ended()).toEqual({ code: 0, signal: null })
    expect(status.out).toContain('orders')
    const following = start(['events', '--follow'], { WELLPOOL_URL: url })
    await until(() => server.parts.observation.stream.clients === 1, 40_000)
    following.signal('SIGINT')
    expect(await following.ended()).toEqual({ code: 0, signal: null })
  })
})

const SCRIPT: Needed = { name: 'script', debianPackages: ['util-linux', 'bsdutils'] }
const BASH: Needed = { name: 'bash', debianPackages: ['bash'] }

await describeWith([SCRIPT], 'wellpool top on a terminal', () => {
  test('shows the page and gives the terminal back', STARTING, async () => {
    const { url } = await startScene()
    const command = [...COMMAND, 'top'].map((word) => `'${word}'`).join(' ')
    const top = start(['-qec', `stty cols 120 rows 30; ${command}; stty -a`, '/dev/null'], { WELLPOOL_URL: url }, [
      await findProgram(SCRIPT),
    ])
    await until(() => top.out.includes('4 connections, all well'), 40_000)
    top.write('q')
    expect((await top.ended()).code).toBe(0)
    expect(top.out).toContain('\u001b[?1049l')
    // As it was: typed characters are shown, and lines are edited.
    expect(top.out.split('\u001b[?1049l').at(-1)).toMatch(/[^-]icanon[\s\S]*[^-]echo /)
  })

  test.each(['TERM', 'HUP'])('gives the terminal back when it is ended by SIG%s', STARTING, async (signal) => {
    const { url } = await startScene()
    const pidFile = path.join(folder, `${signal}.pid`)
    const command = ['sh', '-c', `echo $$ > ${pidFile}; exec "$@"`, 'sh', ...COMMAND, 'top'].map((word) => `'${word}'`).join(' ')
    const script = `stty cols 120 rows 30; ${command}; echo "ended by $?"; stty -a`
    const top = start(['-qec', script, '/dev/null'], { WELLPOOL_URL: url }, [await findProgram(SCRIPT)])
    await until(() => top.out.includes('4 connections, all well'), 40_000)
    process.kill(Number(readFileSync(pidFile, 'utf8')), `SIG${signal}`)
    await top.ended()
    const after = top.out.split('\u001b[?1049l').at(-1)
    expect(after).toMatch(/[^-]icanon[\s\S]*[^-]echo /)
    expect(after).toContain(`ended by ${signal === 'TERM' ? 143 : 129}`)
  })
})

await describeWith([BASH], 'completions', () => {
  test('complete commands, their commands and their options', STARTING, async () => {
    const script = path.join(folder, 'completions.bash')
    writeFileSync(script, (await cli(['completions', 'bash'])).out)
    const complete = async (...words: string[]): Promise<string[]> => {
      const line = `source ${script}; COMP_WORDS=(wellpool ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _wellpool; printf '%s\\n' "\${COMPREPLY[@]}"`
      const { stdout } = await promisify(execFile)(await findProgram(BASH), ['-c', line])
      return stdout.trim().split('\n')
    }
    expect(await complete('')).toEqual(expect.arrayContaining(['serve', 'status', 'rebuild', 'token', '--json']))
    expect(await complete('re')).toEqual(['reload', 'rebuild', 'resume'])
    expect(await complete('token', '')).toEqual(expect.arrayContaining(['create', 'list', 'revoke']))
    expect(await complete('token', 'create', '--r')).toEqual(['--role'])
    expect(await complete('rebuild', '--')).toEqual(expect.arrayContaining(['--all', '--due', '--urgent', '--json']))
  })

  test('are words for zsh and fish too, and right for bash', async () => {
    const [bash, zsh, fish] = await Promise.all(['bash', 'zsh', 'fish'].map(async (shell) => (await cli(['completions', shell])).out))
    await promisify(execFile)(await findProgram(BASH), ['-n', '-c', bash ?? ''])
    expect(zsh).toContain("'rebuild:Rebuild connections")
    expect(fish).toContain("-n '__fish_seen_subcommand_from token; and __fish_seen_subcommand_from create' -l role")
  })
})
