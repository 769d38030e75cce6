import { describe, expect, it } from 'vitest'
import { Calls } from '../../src/api/calls.ts'
import { Client, RefusedError } from '../../src/api/client.ts'
import type { Role } from '../../src/api/contract.ts'
import { Login } from '../../src/state/login.ts'

const refusal = (status: number, headers: Record<string, string> = {}): Response =>
  Response.json(
    { status, code: 'X', title: 'x', detail: 'the reason' },
    { status, headers: { 'content-type': 'application/problem+json', ...headers } },
  )

const session = (...roles: Role[]): Response => Response.json({ name: 'ann', roles, tokensNeeded: true })

function scene(answers: Record<string, () => Response>, kept?: string) {
  const store = new Map(kept === undefined ? [] : [['wellpool.token', kept]])
  const client = new Client('/', async (_, { headers }) => {
    const token = (headers as Record<string, string>).authorization?.slice(7) ?? ''
    const answer = answers[token]
    if (answer === undefined) throw new TypeError('Failed to fetch')
    return answer()
  })
  const login = new Login(client, new Calls(client), {
    getItem: (key) => store.get(key) ?? null,
    setItem: (key, value) => void store.set(key, value),
    removeItem: (key) => void store.delete(key),
  })
  return { login, store }
}

describe('logging in', () => {
  it('needs nothing where the agent wants no token', async () => {
    const { login } = scene({ '': () => session('viewer', 'operator') })
    await login.begin()
    expect(login.stage.value).toMatchObject({ kind: 'in', session: { name: 'ann' } })
  })

  it('asks for a token where the agent wants one, and keeps it once it is good', async () => {
    const { login, store } = scene({ '': () => refusal(401), good: () => session('operator') })
    await login.begin()
    expect(login.stage.value).toEqual({ kind: 'login', problem: undefined, asking: false })
    await login.submit(' good ')
    expect(login.stage.value).toMatchObject({ kind: 'in' })
    expect([...store.values()]).toEqual(['good'])
    login.logout()
    expect(login.stage.value).toEqual({ kind: 'login', problem: undefined, asking: false })
    expect(store.size).toBe(0)
  })

  it('goes on with the token that it has kept', async () => {
    const { login } = scene({ good: () => session('viewer') }, 'good')
    await login.begin()
    expect(login.stage.value).toMatchObject({ kind: 'in' })
  })

  it('says that a token which it has kept is no longer valid, and forgets it', async () => {
    const { login, store } = scene({ old: () => refusal(401) }, 'old')
    await login.begin()
    expect(login.stage.value).toMatchObject({ kind: 'login', problem: { kind: 'ended' } })
    expect(store.size).toBe(0)
  })

  it.each<[string, string, Record<string, () => Response>, object]>([
    ['none', '  ', {}, { kind: 'empty' }],
    ['what can be none', 'two words', {}, { kind: 'malformed' }],
    ['a wrong one', 'wrong', { wrong: () => refusal(401) }, { kind: 'refused', detail: 'the reason' }],
    [
      'one that is for something else',
      'other',
      { other: () => session('executor') },
      { kind: 'may-not-view', name: 'ann', roles: ['executor'] },
    ],
    ['one, and nobody answers', 'good', {}, { kind: 'unreachable' }],
  ])('does not let in who gives %s, and says why', async (_, token, answers, problem) => {
    const { login, store } = scene(answers)
    await login.submit(token)
    expect(login.stage.value).toEqual({ kind: 'login', problem, asking: false })
    expect(store.size).toBe(0)
  })

  it('says for how long no more tries are taken', async () => {
    const { login } = scene({ wrong: () => refusal(429, { 'retry-after': '60' }) })
    const before = Date.now()
    await login.submit('wrong')
    const { stage } = login
    const until = stage.value.kind === 'login' && stage.value.problem?.kind === 'too-many' ? stage.value.problem.until : 0
    expect(until).toBeGreaterThanOrEqual(before + 60_000)
    expect(until).toBeLessThanOrEqual(Date.now() + 60_000)
  })

  it('says that the agent does not answer, or does not answer here', async () => {
    const away = scene({})
    await away.login.begin()
    expect(away.login.stage.value).toEqual({ kind: 'shut', problem: { kind: 'unreachable' } })
    const foreign = scene({ '': () => refusal(403) })
    await foreign.login.begin()
    expect(foreign.login.stage.value).toEqual({ kind: 'shut', problem: { kind: 'refused', detail: 'the reason' } })
  })

  it('ends when the agent does not take the token any longer', async () => {
    const { login, store } = scene({ good: () => session('viewer') }, 'good')
    await login.begin()
    login.refused(new RefusedError({ status: 401, code: 'UNAUTHORIZED', title: 'x' }))
    expect(login.stage.value).toMatchObject({ kind: 'login', problem: { kind: 'ended' } })
    expect(store.size).toBe(0)
  })
})
