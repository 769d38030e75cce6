import { describe, expect, it } from 'vitest'
import { Client, mayBeToken, RefusedError, UnreachableError } from '../../src/api/client.ts'

const problem = (status: number, body: object, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify({ status, code: 'X', title: 'x', ...body }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  })

const failure = (answer: Response | Error): Promise<unknown> =>
  new Client('http://agent/api/v1/', async () => {
    if (answer instanceof Error) throw answer
    return answer
  })
    .request('GET', 'pools')
    .then(
      () => undefined,
      (error: unknown) => error,
    )

describe('a client', () => {
  it('sends the token, and a body as JSON, and nothing of either without them', async () => {
    const sent: RequestInit[] = []
    const client = new Client('http://agent/api/v1/', async (_, init) => {
      sent.push(init)
      return Response.json({ ok: true })
    })
    await client.request('GET', 'pools')
    client.token = 'wellpool_abc'
    await client.request('POST', 'rebuild', { body: { all: true } })
    expect(sent.map(({ headers, body }) => [headers, body])).toEqual([
      [{}, undefined],
      [{ authorization: 'Bearer wellpool_abc', 'content-type': 'application/json' }, '{"all":true}'],
    ])
  })

  it('tells what the agent says of a refusal, and after how long to try again', async () => {
    const error = await failure(problem(429, { code: 'TOO_MANY_FAILURES', detail: 'too many wrong tokens' }, { 'retry-after': '42' }))
    expect(error).toBeInstanceOf(RefusedError)
    expect(error).toMatchObject({ status: 429, code: 'TOO_MANY_FAILURES', message: 'too many wrong tokens', retryAfterS: 42 })
  })

  it('takes a 503 of the agent for a refusal, and one of a proxy before it for an agent that is away', async () => {
    expect(await failure(problem(503, { code: 'TOO_MANY_CLIENTS' }))).toMatchObject({ code: 'TOO_MANY_CLIENTS' })
    expect(await failure(new Response('<h1>Bad gateway</h1>', { status: 502 }))).toBeInstanceOf(UnreachableError)
  })

  it('takes a request that fails, and an answer that breaks off, for an agent that is away', async () => {
    expect(await failure(new TypeError('Failed to fetch'))).toBeInstanceOf(UnreachableError)
    expect(await failure(new Response('{"pools": ['))).toBeInstanceOf(UnreachableError)
  })

  it('passes on the reason of a signal', async () => {
    const client = new Client('http://agent/', (_, { signal }) => new Promise((_resolve, reject) => reject(signal?.reason)))
    await expect(client.open('GET', 'x', { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
  })
})

it('knows what a header could not even carry', () => {
  expect(['wellpool_0123456789_aB-_', '', 'wörter', 'two words'].map(mayBeToken)).toEqual([true, false, false, false])
})
