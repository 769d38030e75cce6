import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Calls } from '../../src/api/calls.ts'
import { Client } from '../../src/api/client.ts'
import type { EventPage, EventRecord } from '../../src/api/contract.ts'
import { dataAge, Model } from '../../src/state/model.ts'
import { Sync } from '../../src/state/sync.ts'
import { connection, event, pool } from '../support/records.ts'

/** A stream of which the test says what comes, and when it ends. */
interface Opened {
  event(event: EventRecord): void
  end(): void
}

/** An agent of which the test says what it answers, and a page that follows it. */
function scene() {
  const agent = {
    instance: 'a',
    history: { events: [], seq: 0, lost: 0 } as EventPage,
    /** Paths that are answered with an error. */
    failing: new Set<string>(),
    /** The paths that it was asked for. */
    asked: [] as string[],
    streams: [] as Opened[],
  }
  const openStream = (signal: AbortSignal | null | undefined): Response => {
    const encoder = new TextEncoder()
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined
    const send = (type: string, data: object): void =>
      controller?.enqueue(encoder.encode(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`))
    const body = new ReadableStream<Uint8Array>({
      start(given) {
        controller = given
        // As fetch does it.
        signal?.addEventListener('abort', () => given.error(signal.reason))
      },
    })
    send('hello', { seq: agent.history.seq, instance: agent.instance })
    agent.streams.push({ event: (each) => send('event', each), end: () => controller?.close() })
    return new Response(body)
  }
  const client = new Client('/', async (url, { signal }) => {
    const path = url.slice(1).split('?')[0] ?? ''
    agent.asked.push(path)
    if (agent.failing.has(path)) return new Response(null, { status: 500 })
    if (path === 'events/stream') return openStream(signal)
    if (path === 'events') return Response.json(agent.history)
    if (path === 'pools') return Response.json({ pools: [pool('orders')] })
    return Response.json(path === 'connections' ? { connections: [connection('orders-1')] } : { pools: {} })
  })
  const model = new Model((frame) => frame())
  return { agent, model, sync: new Sync(new Calls(client), model, () => {}) }
}

/** Lets time pass in small steps, so that answers come in between. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) await vi.advanceTimersByTimeAsync(100)
}

const seqs = (model: Model): number[] => model.events.events.map(({ seq }) => seq)

describe('following the agent', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('document', { hidden: false })
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('has heard the agent when somebody is let in, however long that took', () => {
    const { model, sync } = scene()
    vi.advanceTimersByTime(20_000)
    void sync.start()
    expect(dataAge(model.link.value, Date.now())).toBe(0)
    sync.stop()
  })

  it('asks seldom while the page is not shown, and at once when it is', async () => {
    const { agent, sync } = scene()
    vi.stubGlobal('document', { hidden: true })
    await sync.start()
    agent.asked = []
    await pass(20_500)
    const polls = (): number => agent.asked.filter((path) => path === 'connections').length
    expect([2, 3]).toContain(polls())
    agent.asked = []
    vi.stubGlobal('document', { hidden: false })
    sync.tryNow()
    await pass(500)
    expect(polls()).toBe(1)
    await pass(3000)
    expect(polls()).toBeGreaterThan(2)
    sync.stop()
  })

  it('does not call young what can not be read, although samples come, and asks less often meanwhile', async () => {
    const { agent, model, sync } = scene()
    await sync.start()
    await pass(2000)
    expect(dataAge(model.link.value, Date.now())).toBeLessThan(1500)

    agent.failing.add('connections')
    agent.asked = []
    for (let second = 0; second < 10; second++) {
      await pass(1000)
      model.addSamples({})
    }
    expect(model.link.value.streaming).toBe(true)
    expect(dataAge(model.link.value, Date.now())).toBeGreaterThan(8000)
    expect(agent.asked.filter((path) => path === 'connections').length).toBeLessThan(8)

    agent.failing.clear()
    sync.tryNow()
    await pass(500)
    expect(dataAge(model.link.value, Date.now())).toBeLessThan(1000)
    sync.stop()
  })

  it('begins anew with an agent that was started again, and reads what it has told until it answers', async () => {
    const { agent, model, sync } = scene()
    agent.history = { events: [event(1, 'poolWarmedUp'), event(2, 'poolPaused')], seq: 2, lost: 0 }
    await sync.start()
    await vi.waitFor(() => expect(model.link.value.streaming).toBe(true))
    expect(seqs(model)).toEqual([1, 2])

    agent.instance = 'b'
    agent.history = { events: [event(1, 'poolWarmedUp'), event(2, 'poolResumed')], seq: 2, lost: 0 }
    agent.failing.add('events')
    agent.streams[0]?.end()
    await vi.waitFor(() => expect(agent.streams).toHaveLength(2))
    agent.streams[1]?.event(event(3, 'breakerOpened'))
    await vi.waitFor(() => expect(seqs(model)).toEqual([3]))

    agent.failing.clear()
    await vi.waitFor(() => expect(seqs(model)).toEqual([1, 2, 3]))
    expect(model.events.events.map(({ name }) => name)).toEqual(['poolWarmedUp', 'poolResumed', 'breakerOpened'])
    sync.stop()
  })
})
