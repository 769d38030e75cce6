import { startTcpServer } from '@wellpool/servers'
import { afterAll, describe, it } from 'vitest'
import { type TcpClient, tcp } from '../../src/drivers/tcp.ts'
import type { ErrorClass } from '../../src/index.ts'
import { type ConformanceAddress, driverConformance } from '../../src/testing/index.ts'
import { Figures } from '../support/figures.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts'

const PASSWORD = 'open sesame'

/** An answer that says no. */
class Refusal extends Error {}

type Client = TcpClient<string> | TcpClient<Buffer>

const ask = async (client: Client, text: string, signal?: AbortSignal): Promise<string> => {
  const answer = String(await client.request(text, { signal }))
  if (answer.startsWith('error ')) throw new Refusal(answer)
  return answer
}

const ids = new WeakMap<Client, string>()

/** What both drivers have in common. */
const common = (password: string) => ({
  probe: (client: Client, { signal }: { signal: AbortSignal }) => ask(client, 'ping', signal),
  onConnect: async (client: Client, { signal }: { signal: AbortSignal }) => {
    ids.set(client, await ask(client, `login ${password}`, signal))
  },
  onRelease: (client: Client) => ask(client, 'leave nothing'),
  goodbye: 'bye',
  classify: (error: unknown, connecting: boolean): ErrorClass | undefined =>
    error instanceof Refusal ? (connecting ? 'fatal' : 'application') : undefined,
  secrets: [password],
})

const line = ({ port }: ConformanceAddress, password = PASSWORD) => tcp({ port, framing: 'line', ...common(password) })
const length = ({ port }: ConformanceAddress, password = PASSWORD) =>
  tcp({ port, tls: { ca: TEST_CERTIFICATE }, framing: { length: { bytes: 4 } }, ...common(password) })

describe.each([
  ['tcp with lines', 'line', line, undefined],
  ['tcp with lengths over TLS', 'length', length, { certificate: TEST_CERTIFICATE, key: TEST_KEY }],
] as const)('conformance of %s', { timeout: 60_000 }, async (name, framing, createDriver, tls) => {
  const server = await startTcpServer({ framing, password: PASSWORD, ...(tls === undefined ? {} : { tls }) })
  const figures = new Figures()

  afterAll(async () => {
    await server.close()
    figures.print(name)
  })

  const cases = driverConformance<Client>({
    name,
    target: server,
    createDriver,
    request: (client) => ask(client, 'ping'),
    createRefusedDriver: (address) => createDriver(address, 'open barley'),
    failingRequest: (client) => ask(client, 'nonsense'),
    kill: (client) => server.tell('kill', ids.get(client)),
    leaveBehind: (client) => ask(client, 'leave a mess'),
    isClean: async (client) => (await ask(client, 'left')) === 'nothing',
    countSessions: async () => Number(await server.tell('sessions')),
    restart: () => server.restart(),
    report: figures.add,
  })
  for (const { name: title, run } of cases) it(title, run)
})
