import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Calls } from '../../src/api/calls.ts'
import { Client } from '../../src/api/client.ts'
import type { Job } from '../../src/api/contract.ts'
import { Steering } from '../../src/state/steering.ts'

const REBUILD = { kind: 'rebuild-pool', pool: 'orders', all: true } as const
const EVICT = { kind: 'evict', pool: 'orders', interruptInUse: false } as const

const job = (changes: Partial<Job> = {}): Job => ({
  id: 'j',
  state: 'running',
  target: { kind: 'pool', name: 'orders' },
  createdBy: 'ann',
  createdAt: 0,
  progress: { total: 3, succeeded: 0, failed: 0 },
  ...changes,
})

const refusal = (status: number, code: string): Response =>
  Response.json({ status, code, title: code }, { status, headers: { 'content-type': 'application/problem+json' } })

/** @param ask how the agent answers who asks after a job */
function scene(ask: () => Response | Promise<Response>) {
  const asked: string[] = []
  const client = new Client('/', async (url, { method }) => {
    asked.push(`${method} ${url}`)
    return url.startsWith('/jobs/') ? ask() : Response.json(job())
  })
  return { asked, steering: new Steering(new Calls(client), () => {}) }
}

describe('a rebuild that was asked for', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is followed to its end, and what came of it is shown for a minute, whatever the clock of the agent says', async () => {
    const { asked, steering } = scene(() => Response.json(job({ state: 'failed', endedAt: Date.now() - 3_600_000 })))
    await steering.perform(REBUILD)
    expect(steering.jobs.value).toEqual([job()])
    await vi.advanceTimersByTimeAsync(400)
    await vi.waitFor(() => expect(steering.jobs.value).toEqual([expect.objectContaining({ state: 'failed' })]))
    await vi.advanceTimersByTimeAsync(50_000)
    expect(steering.jobs.value).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(11_000)
    expect(steering.jobs.value).toEqual([])
    expect(asked).toEqual(['POST /pools/orders/rebuild', 'GET /jobs/j'])
  })

  it('goes on when an answer is missing, and is forgotten when the agent knows nothing of it', async () => {
    let code = 'INTERNAL_ERROR'
    const { asked, steering } = scene(() => refusal(code === 'JOB_NOT_FOUND' ? 404 : 500, code))
    await steering.perform(REBUILD)
    await vi.advanceTimersByTimeAsync(400)
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(2))
    expect(steering.jobs.value).toHaveLength(1)
    code = 'JOB_NOT_FOUND'
    await vi.advanceTimersByTimeAsync(400)
    await vi.waitFor(() => expect(steering.jobs.value).toEqual([]))
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is no longer asked after when who asked for it has logged out', async () => {
    let answer = (_: Response): void => {}
    const { asked, steering } = scene(
      () =>
        new Promise<Response>((resolve) => {
          answer = resolve
        }),
    )
    await steering.perform(REBUILD)
    await vi.advanceTimersByTimeAsync(400)
    await vi.waitFor(() => expect(asked).toContain('GET /jobs/j'))
    steering.clear()
    answer(Response.json(job()))
    await vi.advanceTimersByTimeAsync(1000)
    expect(steering.jobs.value).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })
})

it('tells nothing of what was asked for before a log-out', async () => {
  const { steering } = scene(() => refusal(404, 'JOB_NOT_FOUND'))
  const [rebuilt, evicted] = [steering.perform(REBUILD), steering.perform(EVICT)]
  steering.clear()
  await Promise.all([rebuilt, evicted])
  expect(steering.jobs.value).toEqual([])
  expect(steering.notices.value).toEqual([])
})
