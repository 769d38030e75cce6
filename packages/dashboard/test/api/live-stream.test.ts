import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Calls } from '../../src/api/calls.ts'
import { Client } from '../../src/api/client.ts'
import type { EventRecord } from '../../src/api/contract.ts'
import { delayBefore, LiveStream, type StreamListener } from '../../src/api/live-stream.ts'

/** A stream of which the test says what comes, and when it ends. */
interface Opened {
  readonly after: string | undefined
  send(text: string): void
  end(): void
}

function scene() {
  const opened: Opened[] = []
  const told: string[] = []
  let answer: () => Response | undefined = () => undefined
  const client = new Client('/', async (_, { headers, signal }) => {
    const refusal = answer()
    if (refusal !== undefined) return refusal
    const encoder = new TextEncoder()
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined
    const body = new ReadableStream<Uint8Array>({
      start(given) {
        controller = given
        // As fetch does it.
        signal?.addEventListener('abort', () => given.error(signal.reason))
      },
    })
    opened.push({
      after: (headers as Record<string, string>)['last-event-id'],
      send: (text) => controller?.enqueue(encoder.encode(text)),
      end: () => controller?.close(),
    })
    return new Response(body)
  })
  const listener: StreamListener = {
    opened: (seq, isAnother) => told.push(`opened ${seq}${isAnother ? ', another' : ''}`),
    event: ({ seq }) => told.push(`event ${seq}`),
    samples: (pools) => told.push(`samples ${Object.keys(pools)}`),
    leftOut: (counts) => told.push(`left out ${JSON.stringify(counts)}`),
    lost: (at) => told.push(`lost, next in ${at - Date.now()}`),
    refused: ({ status }) => told.push(`refused ${status}`),
  }
  const stream = new LiveStream(new Calls(client), listener, () => 1)
  return {
    opened,
    told,
    stream,
    refuseWith: (make: () => Response | undefined) => {
      answer = make
    },
  }
}

const event = (seq: number): string => `id: ${seq}\nevent: event\ndata: ${JSON.stringify({ seq } satisfies Partial<EventRecord>)}\n\n`
const hello = (seq: number, instance = 'a'): string => `event: hello\ndata: ${JSON.stringify({ seq, instance })}\n\n`

describe('the stream', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('tells what comes, each as what it is', async () => {
    const { opened, told, stream } = scene()
    stream.start(3)
    await vi.waitFor(() => expect(opened).toHaveLength(1))
    opened[0]?.send(`${hello(4)}${event(4)}event: samples\ndata: {"pools":{"orders":{}}}\n\nevent: left-out\ndata: {"rebuildMarked":9}\n\n`)
    await vi.waitFor(() => expect(told).toEqual(['opened 4', 'event 4', 'samples orders', 'left out {"rebuildMarked":9}']))
    expect(opened[0]?.after).toBe('3')
    stream.stop()
  })

  it('begins again behind the last event, later each time, and at once when it is told to', async () => {
    const { opened, told, stream } = scene()
    stream.start(0)
    await vi.waitFor(() => expect(opened).toHaveLength(1))
    opened[0]?.send(hello(7) + event(7))
    await vi.waitFor(() => expect(told).toContain('event 7'))
    opened[0]?.end()
    await vi.waitFor(() => expect(told).toContain('lost, next in 500'))
    await vi.advanceTimersByTimeAsync(500)
    expect(opened).toHaveLength(2)
    expect(opened[1]?.after).toBe('7')
    opened[1]?.end()
    await vi.waitFor(() => expect(told.at(-1)).toBe('lost, next in 1000'))
    stream.tryNow()
    await vi.waitFor(() => expect(opened).toHaveLength(3))
    stream.stop()
  })

  it('counts from where an agent counts that was started again', async () => {
    const { opened, told, stream } = scene()
    stream.start(500)
    await vi.waitFor(() => expect(opened).toHaveLength(1))
    opened[0]?.send(hello(2))
    await vi.waitFor(() => expect(told).toContain('opened 2, another'))
    opened[0]?.end()
    await vi.waitFor(() => expect(told).toContain('lost, next in 500'))
    await vi.advanceTimersByTimeAsync(500)
    expect(opened[1]?.after).toBe('2')
    stream.stop()
  })

  it.each([3, 8])('knows another agent by its instance, also when it has told %i events of which 3 are known', async (seq) => {
    const { opened, told, stream } = scene()
    stream.start(3)
    await vi.waitFor(() => expect(opened).toHaveLength(1))
    opened[0]?.send(hello(3))
    opened[0]?.end()
    await vi.waitFor(() => expect(told).toContain('lost, next in 500'))
    await vi.advanceTimersByTimeAsync(500)
    opened[1]?.send(hello(seq, 'b'))
    await vi.waitFor(() => expect(told.at(-1)).toBe(`opened ${seq}, another`))
    opened[1]?.end()
    await vi.waitFor(() => expect(told.at(-1)).toBe('lost, next in 500'))
    await vi.advanceTimersByTimeAsync(500)
    expect(opened[2]?.after).toBe(String(seq))
    opened[2]?.send(hello(seq, 'b'))
    await vi.waitFor(() => expect(told.at(-1)).toBe(`opened ${seq}`))
    stream.stop()
  })

  it('gives up a stream that has fallen silent', async () => {
    const { opened, told, stream } = scene()
    stream.start(0)
    await vi.waitFor(() => expect(opened).toHaveLength(1))
    opened[0]?.send(hello(0))
    await vi.waitFor(() => expect(told).toEqual(['opened 0']))
    await vi.advanceTimersByTimeAsync(25_000)
    expect(told).toEqual(['opened 0', 'lost, next in 500'])
    stream.stop()
  })

  it('does not go on when it is not let in', async () => {
    const { told, stream, refuseWith } = scene()
    refuseWith(() => Response.json({ status: 401 }, { status: 401, headers: { 'content-type': 'application/problem+json' } }))
    stream.start(0)
    await vi.waitFor(() => expect(told).toEqual(['refused 401']))
    expect(vi.getTimerCount()).toBe(0)
  })
})

it('waits by the number of tries and by chance, and never longer than 15 s', () => {
  expect([1, 2, 3, 4, 50].map((failures) => delayBefore(failures, () => 1))).toEqual([500, 1000, 2000, 4000, 15_000])
  expect(delayBefore(3, () => 0)).toBe(1000)
})
