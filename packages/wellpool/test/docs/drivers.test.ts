import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { startTcpServer } from '@wellpool/servers'
import { afterAll, describe, expect, it } from 'vitest'
import { amqp } from '../../src/drivers/amqp.ts'
import { grpc } from '../../src/drivers/grpc.ts'
import { http2 } from '../../src/drivers/http2.ts'
import { mysql } from '../../src/drivers/mysql.ts'
import { MYSQL_CONNECT_ERRORS, MYSQL_ERRORS } from '../../src/drivers/mysql-errors.ts'
import { postgres } from '../../src/drivers/postgres.ts'
import { redis } from '../../src/drivers/redis.ts'
import { REDIS_CONNECT_ERRORS, REDIS_ERRORS } from '../../src/drivers/redis-errors.ts'
import { tcp } from '../../src/drivers/tcp.ts'
import { TCP_ERRORS } from '../../src/drivers/tcp-errors.ts'
import { ConfigError, type Driver } from '../../src/index.ts'
import { type ConformanceAddress, driverConformance } from '../../src/testing/index.ts'
import { headings, readPage, root, tableRows } from './markdown.ts'
import { snippetsOf } from './snippets.ts'

interface Session {
  ask(question: string): Promise<string>
}

/** The driver in the chapter "Write your own", as it stands there. */
const code = snippetsOf('docs/drivers.md').find((snippet) => snippet.code.includes('export const shout'))?.code ?? ''

describe('the driver of one’s own in docs/drivers.md', { timeout: 60_000 }, async () => {
  const server = await startTcpServer({ framing: 'line' })
  const folder = path.join(root, 'packages/wellpool/.cache', `drivers-${process.pid}`)
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, 'shout.ts'), code)
  const { shout } = (await import(path.join(folder, 'shout.ts'))) as { shout: (address: ConformanceAddress) => Driver<Session> }

  afterAll(async () => {
    await server.close()
    await rm(folder, { recursive: true })
  })

  it('has forty lines at most', () => {
    expect(code.trim().split('\n').length).toBeLessThanOrEqual(40)
  })

  const cases = driverConformance<Session>({
    name: 'shout',
    target: server,
    createDriver: ({ host, port }) => shout({ host, port }),
    request: (session) => session.ask('ping'),
    kill: async (session) => server.tell('kill', await session.ask('id')),
    countSessions: async () => Number(await server.tell('sessions')),
    restart: () => server.restart(),
  })
  for (const { name, run } of cases) it(name, run)
})

const codes = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

/** The rows of the tables under a heading of a page. */
function rowsUnder(page: string, heading: string): string[][] {
  const text = readPage(page)
  expect(headings(text)).toContain(heading)
  return tableRows(text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '')
}

/** The names that a driver's refusal of an unknown option lists. */
function optionNames(make: (options: never) => unknown): string[] {
  try {
    make({ 'no such option': 1 } as never)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.find(({ path }) => path === 'no such option')?.allowed.split(', ') ?? []
  }
  return []
}

describe.each([
  ['postgres', postgres],
  ['amqp', amqp],
  ['grpc', grpc],
  ['mysql', mysql],
  ['redis', redis],
  ['http2', http2],
  ['tcp', tcp],
] as const)('docs/drivers/%s.md', (name, make) => {
  const page = `docs/drivers/${name}.md`

  it('has a row for each option and none besides', () => {
    const names = optionNames(make)
    expect(names.length).toBeGreaterThan(0)
    expect(rowsUnder(page, 'Options').flatMap(([cell]) => codes(cell))).toEqual(names)
  })

  it('says what a release resets, what errors mean, and how long it takes to notice', () => {
    for (const heading of ['What a release resets', 'What errors mean', 'How long it takes to notice']) {
      expect(rowsUnder(page, heading).length).toBeGreaterThan(0)
    }
  })

  it('is linked from the table of drivers', () => {
    expect(readPage('docs/drivers.md')).toContain(`| [\`wellpool/${name}\`](drivers/${name}.md) |`)
  })
})

it('docs/drivers/tcp.md has a row for each error, with its class', () => {
  const rows = rowsUnder('docs/drivers/tcp.md', 'What errors mean').map(([code, meaning]) => [codes(code)[0], codes(meaning)[0]])
  expect(Object.fromEntries(rows)).toEqual(TCP_ERRORS)
})

it.each([
  ['mysql', MYSQL_ERRORS, MYSQL_CONNECT_ERRORS],
  ['redis', REDIS_ERRORS, REDIS_CONNECT_ERRORS],
])('docs/drivers/%s.md has each error that the driver knows, with its class in use and of a connect', (name, inUse, atConnect) => {
  const rows = rowsUnder(`docs/drivers/${name}.md`, 'What errors mean')
  const classes = (column: number) => Object.fromEntries(rows.flatMap((row) => codes(row[0]).map((code) => [code, codes(row[column])[0]])))
  expect(classes(1)).toMatchObject(inUse)
  expect(classes(2)).toMatchObject(atConnect)
})
