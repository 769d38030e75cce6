import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** More than an answer of the API has, which is up to 2 kB for a pool of ten connections; only a timeline has more. */
const ANSWER = JSON.stringify({ filling: 'x'.repeat(4_000) })
/** As much as a message with the samples of two pools. */
const SAMPLE = JSON.stringify({ timestamp: 0, filling: 'x'.repeat(1_000) })
const EVERY_MS = 1_000

/** A server for who asks. */
export interface Served {
  readonly url: string
  /** The number of the latest event. */
  readonly seq: () => number
  readonly close: () => Promise<void>
}

/**
 * A server that answers everything with the same bytes, and tells those who listen the same once a second: what Node
 * itself takes for as many requests and listeners.
 */
export async function startFloor(): Promise<Served> {
  const listeners = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/api/v1/events/stream') !== true) {
      response.setHeader('content-type', 'application/json').end(ANSWER)
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: hello\ndata: {"seq":0}\n\n')
    listeners.add(response)
    response.on('close', () => listeners.delete(response))
  })
  const timer = setInterval(() => {
    const message = `event: samples\ndata: ${SAMPLE.replace('0', String(Date.now()))}\n\n`
    for (const response of listeners) response.write(message)
  }, EVERY_MS)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seq: () => 0,
    close: () => {
      clearInterval(timer)
      for (const response of listeners) response.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
