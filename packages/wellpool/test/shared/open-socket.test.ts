import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openSocket, type SocketTarget } from '../../src/shared/open-socket.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts'

const never = new AbortController().signal

describe('openSocket', () => {
  let server: Server
  let proxy: FaultProxy

  const listen = async (listening: Server): Promise<void> => {
    server = listening
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    proxy = await FaultProxy.start({ port: (server.address() as AddressInfo).port })
  }
  const target = (more: Partial<SocketTarget> = {}): SocketTarget => ({ host: '127.0.0.1', port: proxy.port, keepAliveMs: 30_000, ...more })

  beforeEach(() => listen(createServer((socket) => socket.on('error', () => {}).pipe(socket))))

  afterEach(async () => {
    await proxy.close()
    server.close()
  })

  it('connects, with TCP keep-alive and without delay', async () => {
    const keepAlive = vi.spyOn(Socket.prototype, 'setKeepAlive')
    const socket = await openSocket(target({ keepAliveMs: 12_000 }), never)
    expect(keepAlive).toHaveBeenCalledWith(true, 12_000)
    socket.write('hello')
    expect(String((await once(socket, 'data'))[0])).toBe('hello')
    socket.destroy()
  })

  it('rejects when nobody listens, and when it is aborted before it begins', async () => {
    await proxy.refuse()
    await expect(openSocket(target(), never)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const reason = new Error('too late')
    await expect(openSocket(target(), AbortSignal.abort(reason))).rejects.toBe(reason)
  })

  it('encrypts, offers protocols, and asks for the certificate of its host', async () => {
    const names: unknown[] = []
    server.close()
    await proxy.close()
    const tlsServer = createTlsServer({ cert: TEST_CERTIFICATE, key: TEST_KEY, ALPNProtocols: ['b'] }, (socket) => {
      names.push((socket as TLSSocket & { servername: unknown }).servername, socket.alpnProtocol)
      socket.on('error', () => {}).pipe(socket)
    })
    await listen(tlsServer)
    const socket = (await openSocket(target({ host: 'localhost', tls: { ca: TEST_CERTIFICATE } }), never, ['a', 'b'])) as TLSSocket
    expect([socket.authorized, socket.alpnProtocol]).toEqual([true, 'b'])
    socket.write('hello')
    expect(String((await once(socket, 'data'))[0])).toBe('hello')
    expect(names).toEqual(['localhost', 'b'])
    socket.destroy()
    await expect(openSocket(target({ tls: true }), never)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    await proxy.until((flows) => flows.length === 0)
  })

  it('leaves nothing when it is aborted in the handshake of TLS', async () => {
    proxy.inject({ kind: 'unanswered' })
    const controller = new AbortController()
    const opening = openSocket(target({ tls: true }), controller.signal)
    await proxy.until((flows) => flows.length > 0)
    const reason = new Error('given up')
    controller.abort(reason)
    await expect(opening).rejects.toBe(reason)
    await proxy.until((flows) => flows.every(({ clientOpen }) => !clientOpen))
  })
})
