import { credentials } from '@grpc/grpc-js'
import { startGrpcServer } from '@wellpool/servers'
import { afterAll, describe, it } from 'vitest'
import { type GrpcOptions, grpc } from '../../src/drivers/grpc.ts'
import { type ConformanceAddress, driverConformance } from '../../src/testing/index.ts'
import { Figures } from '../support/figures.ts'
import { TestClient } from '../support/grpc.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts'

const [certificate, key] = [Buffer.from(TEST_CERTIFICATE), Buffer.from(TEST_KEY)]
const driverWith =
  (of: () => GrpcOptions<TestClient>['credentials'], more: Partial<GrpcOptions<TestClient>> = {}) =>
  ({ host, port }: ConformanceAddress) =>
    grpc({ address: `${host}:${port}`, credentials: of(), client: (...parameters) => new TestClient(...parameters), ...more })

const insecure = driverWith(() => credentials.createInsecure())
const channelOptions = { 'grpc.ssl_target_name_override': 'localhost' }
const secure = driverWith(() => credentials.createSsl(certificate, key, certificate), { channelOptions })
/** Without the certificate that the server wants to see. */
const refused = driverWith(() => credentials.createSsl(certificate), { channelOptions, secrets: ['open sesame'] })

describe.each([
  ['grpc without TLS', insecure, undefined, {}],
  ['grpc', secure, { certificate: TEST_CERTIFICATE, key: TEST_KEY, clientAuthority: TEST_CERTIFICATE }, { createRefusedDriver: refused }],
] as const)('conformance of %s', { timeout: 60_000 }, async (name, createDriver, tls, more) => {
  const server = await startGrpcServer(tls === undefined ? {} : { tls })
  const figures = new Figures()

  afterAll(async () => {
    await server.close()
    figures.print(name)
  })

  const cases = driverConformance<TestClient>({
    name,
    target: server,
    createDriver,
    ...more,
    request: (client) => client.ask('Echo', 'hello'),
    // NOT_FOUND
    failingRequest: (client) => client.ask('Fail', { code: 5 }),
    kill: async (client) => server.tell('kill', String(await client.ask('Id'))),
    leaveBehind: async (client) => {
      client.ask('Silent').catch(() => {})
      await client.ask('Echo')
    },
    isClean: async () => (await server.tell('silent')) === 0,
    countSessions: async () => Number(await server.tell('sessions')),
    restart: () => server.restart(),
    report: figures.add,
  })
  for (const { name: title, run } of cases) it(title, run)
})
