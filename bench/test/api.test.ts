import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Listener } from '../src/api/listener.ts'

/** A stream of events that says what it is told to. */
async function startStream(): Promise<{ url: string; response: Promise<ServerResponse> }> {
  let arrived: (response: ServerResponse) => void
  const response = new Promise<ServerResponse>((resolve) => {
    arrived = resolve
  })
  const server = createServer((_, answer) => arrived(answer)).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await vi.waitFor(() => expect(server.listening).toBe(true))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, response }
}

test('a listener counts what it was told and what was left out, from the hello on, however the text is cut', async () => {
  const { url, response } = await startStream()
  const listener = new Listener(url, () => {})
  onTestFinished(() => listener.close())
  const now = Date.now()
  const text = [
    'event: hello\ndata: {"seq":41}\n\n',
    `id: 42\nevent: event\ndata: {"seq":42,"timestamp":${now},"name":"poolPaused"}\n\n`,
    ': still here\n\n',
    'event: left-out\ndata: {"poolPaused":3,"poolResumed":4}\n\n',
    `event: samples\ndata: {"pools":{"orders":{"timestamp":${now}}}}\n\n`,
  ].join('')
  const answer = await response
  for (const part of text.match(/[\s\S]{1,7}/g) ?? []) answer.write(part)
  await listener.ready
  await vi.waitFor(() => expect([listener.seq, listener.toldMs.length]).toEqual([49, 2]))
  expect(Math.min(...listener.toldMs)).toBeGreaterThanOrEqual(0)
})

test('a listener that is refused says so', async () => {
  const { url, response } = await startStream()
  const listener = new Listener(url, () => {})
  onTestFinished(() => listener.close())
  ;(await response).writeHead(503).end()
  await expect(listener.ready).rejects.toThrow('a listener is answered with 503')
})
