import type { ClientHttp2Session } from 'node:http2'
import { startHttp2Server } from '@wellpool/servers'
import { afterAll, describe, it } from 'vitest'
import { http2 } from '../../src/drivers/http2.ts'
import { type ConformanceAddress, driverConformance } from '../../src/testing/index.ts'
import { Figures } from '../support/figures.ts'
import { request } from '../support/http2.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts'

const ids = new WeakMap<ClientHttp2Session, string>()
const onConnect = async (session: ClientHttp2Session) => {
  ids.set(session, (await request(session, '/id')).body)
}

const plain = ({ host, port }: ConformanceAddress) => http2({ url: `http://${host}:${port}`, onConnect })
const secure = ({ host, port }: ConformanceAddress) =>
  http2({ url: `https://${host}:${port}`, tls: { ca: TEST_CERTIFICATE, cert: TEST_CERTIFICATE, key: TEST_KEY }, onConnect })
/** Without the certificate that the server wants to see. */
const refused = ({ host, port }: ConformanceAddress) =>
  http2({ url: `https://${host}:${port}`, tls: { ca: TEST_CERTIFICATE, passphrase: 'open sesame' } })

describe.each([
  ['http2 without TLS', plain, undefined, {}],
  ['http2', secure, { certificate: TEST_CERTIFICATE, key: TEST_KEY, clientAuthority: TEST_CERTIFICATE }, { createRefusedDriver: refused }],
] as const)('conformance of %s', { timeout: 60_000 }, async (name, createDriver, tls, more) => {
  const server = await startHttp2Server(tls === undefined ? {} : { tls })
  const figures = new Figures()

  afterAll(async () => {
    await server.close()
    figures.print(name)
  })

  const cases = driverConformance<ClientHttp2Session>({
    name,
    target: server,
    createDriver,
    ...more,
    request: (session) => request(session, '/'),
    // INTERNAL_ERROR: the server's handler has failed.
    failingRequest: (session) => request(session, '/reset?2'),
    kill: (session) => server.tell('kill', ids.get(session)),
    leaveBehind: async (session) => {
      session.request({ ':path': '/silent' })
      await request(session, '/')
    },
    isClean: async (session) => (await server.tell('streams', ids.get(session))) === 0,
    countSessions: async () => Number(await server.tell('sessions')),
    restart: () => server.restart(),
    report: figures.add,
  })
  for (const { name: title, run } of cases) it(title, run)
})
