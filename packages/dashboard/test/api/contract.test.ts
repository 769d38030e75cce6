import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Calls } from '../../src/api/calls.ts'
import { Client } from '../../src/api/client.ts'
import {
  BREAKER_STATES,
  type Connection,
  EVENT_NAMES,
  type EventPage,
  type EventRecord,
  HEALTHS,
  JOB_STATES,
  JOB_TARGETS,
  type Job,
  LEVELS,
  type Mark,
  type Percentiles,
  POOL_STATES,
  type Pool,
  type PoolStats,
  ROLES,
  type Sample,
  type Session,
  STATES,
} from '../../src/api/contract.ts'

interface Schema {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}

const openapi = JSON.parse(readFileSync(new URL('../../../server/openapi.json', import.meta.url), 'utf8'))

function answerOf(path: string, method = 'get', status = 200): Schema {
  return openapi.paths[`/api/v1/${path}`][method].responses[status].content['application/json'].schema
}

function at(schema: Schema | undefined, ...path: readonly string[]): Schema {
  let found = schema
  for (const name of path) found = name === '[]' ? found?.items : found?.properties?.[name]
  if (found === undefined) throw new Error(`openapi.json has no ${path.join('.')}`)
  return found
}

const connection = at(answerOf('connections'), 'connections', '[]')
const pool = at(answerOf('pools'), 'pools', '[]')
const sample = at(answerOf('pools/{pool}/timeline'), 'samples', '[]')
const event = at(answerOf('events'), 'events', '[]')
const job = answerOf('jobs/{job}')

/** The fields that a type reads, all of them: one that is missing here does not compile. */
const fields = <Type>(names: Record<keyof Type, 'always' | 'sometimes'>): Record<string, string> => names

describe('what this page reads is what openapi.json describes', () => {
  it.each<[string, Schema, Record<string, string>]>([
    ['Session', answerOf('session'), fields<Session>({ name: 'always', roles: 'always', tokensNeeded: 'always' })],
    [
      'Connection',
      connection,
      fields<Connection>({
        id: 'always',
        pool: 'always',
        protocol: 'always',
        generation: 'always',
        state: 'always',
        health: 'always',
        mark: 'sometimes',
        uses: 'always',
        requests: 'always',
        errors: 'always',
        createdAt: 'always',
        lastProvenAt: 'always',
        lastRebuiltAt: 'sometimes',
        lastCheckMs: 'sometimes',
        ageMs: 'always',
      }),
    ],
    ['Mark', at(connection, 'mark'), fields<Mark>({ kind: 'always', detail: 'always', urgent: 'always' })],
    [
      'Pool',
      pool,
      fields<Pool>({
        name: 'always',
        protocol: 'always',
        canServe: 'always',
        minConnections: 'always',
        maxConnections: 'always',
        stats: 'always',
      }),
    ],
    [
      'PoolStats',
      at(pool, 'stats'),
      fields<PoolStats>({
        state: 'always',
        open: 'always',
        total: 'always',
        idle: 'always',
        acquired: 'always',
        checking: 'always',
        connecting: 'always',
        rebuilding: 'always',
        closing: 'always',
        retired: 'always',
        waiting: 'always',
        health: 'always',
        marked: 'always',
        rebuildsInFlight: 'always',
        breaker: 'always',
        panic: 'always',
      }),
    ],
    [
      'Sample',
      sample,
      fields<Sample>({
        timestamp: 'always',
        state: 'always',
        breaker: 'always',
        panic: 'always',
        open: 'always',
        total: 'always',
        idle: 'always',
        acquired: 'always',
        waiting: 'always',
        leased: 'always',
        wait: 'always',
        use: 'always',
        check: 'always',
      }),
    ],
    [
      'Percentiles',
      at(sample, 'wait'),
      fields<Percentiles>({ count: 'always', p50: 'always', p90: 'always', p99: 'always', max: 'always' }),
    ],
    [
      'EventRecord',
      event,
      fields<EventRecord>({
        seq: 'always',
        name: 'always',
        level: 'always',
        timestamp: 'always',
        pool: 'always',
        protocol: 'always',
        connectionId: 'sometimes',
        generation: 'sometimes',
        details: 'always',
      }),
    ],
    ['EventPage', answerOf('events'), fields<EventPage>({ events: 'always', seq: 'always', lost: 'always' })],
    [
      'Job',
      job,
      fields<Job>({
        id: 'always',
        state: 'always',
        target: 'always',
        createdBy: 'always',
        createdAt: 'always',
        endedAt: 'sometimes',
        progress: 'always',
        result: 'sometimes',
        problem: 'sometimes',
      }),
    ],
  ])('%s', (_, schema, read) => {
    for (const [name, presence] of Object.entries(read)) {
      expect(Object.keys(schema.properties ?? {}), name).toContain(name)
      expect(schema.required?.includes(name) ?? false, name).toBe(presence === 'always')
    }
  })

  it.each<[string, readonly string[], Schema]>([
    ['states', STATES, at(connection, 'state')],
    ['healths', HEALTHS, at(connection, 'health')],
    ['states of pools', POOL_STATES, at(pool, 'stats', 'state')],
    ['states of breakers', BREAKER_STATES, at(pool, 'stats', 'breaker')],
    ['levels', LEVELS, at(event, 'level')],
    ['events', EVENT_NAMES, at(event, 'name')],
    ['roles', ROLES, at(answerOf('session'), 'roles', '[]')],
    ['states of jobs', JOB_STATES, at(job, 'state')],
    ['targets of jobs', JOB_TARGETS, at(job, 'target', 'kind')],
  ])('the words for %s', (_, words, schema) => {
    expect(schema.enum).toEqual([...words])
  })
})

/** Every call, made against nothing. */
async function requests(): Promise<{ method: string; path: string; body: string | undefined }[]> {
  const made: { method: string; path: string; body: string | undefined }[] = []
  const client = new Client('/api/v1/', async (path, { method = 'GET', body }) => {
    made.push({ method, path: path.split('?')[0] ?? '', body: body as string | undefined })
    return Response.json({})
  })
  const calls = new Calls(client)
  await Promise.all([
    calls.session(),
    calls.pools(),
    calls.connections(),
    calls.timeline('a b'),
    calls.events(10),
    calls.eventsOf('orders-1', 10),
    calls.configuration(),
    calls.rebuild({ kind: 'connection', name: 'orders-1', urgent: true }),
    calls.rebuild({ kind: 'pool', name: 'orders', all: true }),
    calls.rebuild({ kind: 'all', all: false }),
    calls.jobs(),
    calls.job('j'),
    calls.cancelJob('j'),
    calls.pause('orders', true),
    calls.resume('orders'),
    calls.evict('orders', true),
    calls.stream(4, new AbortController().signal),
  ])
  return made
}

it('every call is to a route that openapi.json has, with a body that it takes', async () => {
  const made = await requests()
  expect(made).toHaveLength(Object.getOwnPropertyNames(Calls.prototype).length - 1 + 2)
  for (const { method, path, body } of made) {
    const route = Object.keys(openapi.paths).find((each) => new RegExp(`^${each.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path))
    const operation = openapi.paths[route ?? '']?.[method.toLowerCase()]
    expect(operation, `${method} ${path}`).toBeDefined()
    const known = Object.keys(operation.requestBody?.content?.['application/json']?.schema?.properties ?? {})
    for (const name of Object.keys(JSON.parse(body ?? '{}'))) expect(known, `${method} ${path}`).toContain(name)
  }
})
