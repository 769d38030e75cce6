import { afterAll, beforeAll, describe, it } from 'vitest'
import { fromFactory } from '../../src/drivers/factory.ts'
import { type ConformanceAddress, driverConformance } from '../../src/testing/index.ts'
import { type LineClient, LineServer, lineDriver } from '../testing/line-server.ts'

const server = new LineServer()

beforeAll(() => server.start())
afterAll(() => server.stop())

/** A factory that does all that one can do, on the line protocol. */
const createDriver = ({ port }: ConformanceAddress) => {
  const line = lineDriver(port)
  return fromFactory<LineClient>({
    create: (context) => line.connect(context),
    // There is one way to end: it says goodbye to a peer that may be silent, and does not wait for it.
    destroy: (client) => {
      if (client.lost === undefined) client.socket.write('bye\n')
      client.socket.destroySoon()
      client.socket.destroy()
    },
    validate: (client, context) => line.check(client, context),
    watch: (client, watcher) => line.watch?.(client, watcher),
    reset: (client) => line.reset?.(client),
    classify: (error) => line.classify?.(error) ?? 'transient',
  })
}

describe('a driver from a factory', { timeout: 30_000 }, () => {
  const cases = driverConformance<LineClient>({
    name: 'factory',
    get target() {
      return { port: server.port }
    },
    createDriver,
    request: (client) => client.send('ping'),
    failingRequest: (client) => client.send('nonsense'),
    kill: async (client) => server.kill(client.id),
    leaveBehind: (client) => client.send('leave a mess'),
    isClean: async (client) => (await client.send('left')) === 'nothing',
    countSessions: async () => server.sessions,
    restart: async () => {
      await server.stop()
      await server.start()
    },
  })
  for (const { name, run } of cases) it(name, run)
})
