import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { codeBlocks, readPage, tableRows } from '../../wellpool/test/docs/markdown.ts'
import { OWN_PROBLEMS } from '../src/api/problem.ts'
import { EXIT } from '../src/cli/exit-codes.ts'
import { DRIVERS } from '../src/config/drivers.ts'
import { parseConfig } from '../src/config/index.ts'
import { toSnakeCase } from '../src/config/names.ts'
import { ExecuteSection, LogSection, ServerSection } from '../src/config/sections.ts'
import { quietProgram } from './support/quiet-program.ts'

const codes = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
const rowsOf = (page: string): string[][] => tableRows(readPage(page))
const first = (page: string): string[] => rowsOf(page).flatMap(([cell]) => codes(cell))

describe('docs/cli.md', () => {
  const program = quietProgram()
  const leaves = (command: Command, path: string[] = []): string[] =>
    command.commands.length === 0 ? [path.join(' ')] : command.commands.flatMap((each) => leaves(each, [...path, each.name()]))

  test('has a row for each command, and for none besides', () => {
    const named = rowsOf('docs/cli.md')
      .filter((row) => row.length === 3)
      .flatMap(([cell]) => codes(cell))
      .filter((name) => /^[a-z]+(?: [a-z]+)?$/.test(name))
    expect(named.sort()).toEqual(leaves(program).sort())
  })

  test('has the exit codes', () => {
    const documented = first('docs/cli.md')
      .filter((code) => /^\d+$/.test(code))
      .map(Number)
    expect(documented).toEqual([...Object.values(EXIT), 130])
  })

  test('has the options that all commands have', () => {
    const documented = first('docs/cli.md')
      .filter((code) => code.startsWith('--'))
      .map((code) => code.split(' ')[0])
    const common = program.options.map(({ long }) => long).filter((long) => long !== '--version')
    expect(documented.sort()).toEqual(common.sort())
  })
})

describe('docs/http-api.md', () => {
  const rows = rowsOf('docs/http-api.md')
  const { paths } = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8'))

  test('has a row for each route, with who may call it', () => {
    const documented = rows
      .filter(([route = '']) => /^`(?:GET|POST|DELETE) /.test(route))
      .map(([route, , needs]) => [codes(route)[0], needs])
    const described = Object.entries<Record<string, { description?: string }>>(paths).flatMap(([route, operations]) =>
      Object.entries(operations).map(([method, { description = '' }]) => {
        const role = /role `(\w+)`/.exec(description)?.[1]
        return [`${method.toUpperCase()} ${route}`, role ?? (description.includes('token') ? 'any token' : 'nothing')]
      }),
    )
    expect(documented.sort()).toEqual(described.sort())
  })

  test('has a row for each problem, with its status', () => {
    const documented = rows
      .filter(([code = '', status = '']) => /^`[A-Z_]+`$/.test(code) && /^\d{3}$/.test(status))
      .map(([code, status]) => [codes(code)[0], Number(status)])
    expect(documented).toEqual(Object.entries(OWN_PROBLEMS).map(([code, [status]]) => [code, status]))
  })
})

describe('docs/agent.md', () => {
  const blocks = codeBlocks(readPage('docs/agent.md')).filter(({ language }) => language === 'yaml')

  test.each(blocks)('has a configuration on line $line that is right', async ({ code }) => {
    const env = { ORDERS_PASSWORD: 'x', DATABASE_URL: 'postgres://db/x', SSH_AUTH_SOCK: '/run/agent' }
    const text = code.replaceAll('${file:/etc/wellpool/id_ed25519}', '${PRIVATE_KEY}').replace('private_key: ${PRIVATE_KEY}', 'password: x')
    const { pools } = await parseConfig(text, 'wellpool.yaml', { env })
    expect(pools).toBeDefined()
  })

  test('has a row for each setting and each rule', () => {
    const named = first('docs/agent.md')
    const settings = Object.keys(ServerSection.properties)
      .filter((name) => name !== 'tls')
      .map((name) => `server.${name}`)
    for (const name of [...settings, ...Object.keys(LogSection.properties).map((each) => `log.${each}`), 'drain_timeout'])
      expect(named).toContain(name)
    for (const name of Object.keys(ExecuteSection.properties)) expect(named).toContain(name)
  })

  test('has a row for each protocol, with its package and its address', () => {
    const documented = rowsOf('docs/agent.md')
      .filter((row) => row.length === 4)
      .map(([protocol, client, , address]) => [codes(protocol)[0], codes(client)[0], codes(address)[0]])
    const known = Object.entries(DRIVERS).map(([protocol, { client, address }]) => [
      protocol,
      client,
      address === undefined ? undefined : toSnakeCase(address),
    ])
    expect(documented.sort()).toEqual(known.sort())
  })
})
