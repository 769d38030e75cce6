import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Server, ServerCredentials, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js'
import type { GrpcServerOptions } from '../grpc.ts'
import { type Message, TEST_SERVICE } from '../grpc-service.ts'
import { serveControl, settings } from './control.ts'

const { port, controlPort, health = true, tls } = settings<GrpcServerOptions & { readonly port: number; readonly controlPort: number }>()

/** The sockets of clients, by the address from which they come. */
const sockets = new Map<string, Socket>()
subscribe('net.server.socket', (message) => {
  const { socket } = message as { readonly socket: Socket }
  if (socket.localPort !== port) return
  const id = `${socket.remoteAddress}:${socket.remotePort}`
  sockets.set(id, socket)
  socket.on('close', () => sockets.delete(id))
})

type Unary = ServerUnaryCall<Message, Message>
type Answer = sendUnaryData<Message>
let silent = 0

const server = new Server()
server.addService(TEST_SERVICE, {
  Echo: ({ request }: Unary, answer: Answer) => answer(null, request),
  Id: (call: Unary, answer: Answer) => answer(null, { value: call.getPeer() }),
  Slow: async ({ request }: Unary, answer: Answer) => {
    await delay(Number(request.value))
    answer(null, { value: 'slow' })
  },
  Silent: (call: Unary) => {
    silent++
    call.on('cancelled', () => silent--)
  },
  Fail: ({ request }: Unary, answer: Answer) => answer({ details: 'as you say', ...(request.value as { readonly code: number }) }),
  Count: async (call: ServerWritableStream<Message, Message>) => {
    for (let number = 1; number <= Number(call.request.value) && !call.cancelled; number++) {
      call.write({ value: number })
      await delay(10)
    }
    call.end()
  },
})

/** By service; empty: the server as a whole. */
const servingStatuses = new Map<string, number>([['', 1]])
if (health) {
  const same = (bytes: Buffer): Buffer => bytes
  server.addService(
    {
      Check: {
        path: '/grpc.health.v1.Health/Check',
        requestStream: false,
        responseStream: false,
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      },
    },
    {
      Check: ({ request }: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        // The message is a text with its number and its length before it, or nothing.
        const service = request.subarray(2).toString()
        const serving = servingStatuses.get(service)
        if (serving === undefined) answer({ code: status.NOT_FOUND, details: `no service ${service}` })
        else answer(null, serving === 0 ? Buffer.alloc(0) : Buffer.from([8, serving]))
      },
    },
  )
}

const keys = tls === undefined ? [] : [{ cert_chain: Buffer.from(tls.certificate), private_key: Buffer.from(tls.key) }]
const authority = tls?.clientAuthority
const serverCredentials =
  tls === undefined
    ? ServerCredentials.createInsecure()
    : ServerCredentials.createSsl(authority === undefined ? null : Buffer.from(authority), keys, authority !== undefined)

const address = `127.0.0.1:${port}`
await new Promise<void>((resolve, reject) => {
  server.bindAsync(address, serverCredentials, (error) => (error === null ? resolve() : reject(error)))
})

await serveControl(controlPort, {
  sessions: () => sockets.size,
  kill: (id) => sockets.get(id)?.destroy(),
  /** Says GOAWAY to all, and lets calls finish. */
  goaway: () => server.drain(address, 60_000),
  /** How many calls of `Silent` wait. */
  silent: () => silent,
  /** `service=2`: it is not serving any more. */
  health: (argument) => {
    const [service = '', serving] = argument.split('=')
    servingStatuses.set(service, Number(serving))
  },
})
