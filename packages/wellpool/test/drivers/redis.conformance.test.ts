import { REDIS_PROGRAM, startRedis } from '@wellpool/servers'
import { createClient } from 'redis'
import { afterAll, it } from 'vitest'
import { type RedisClient, redis } from '../../src/drivers/redis.ts'
import { type ConformanceAddress, driverConformance } from '../../src/testing/index.ts'
import { describeWith } from '../support/describe-if.ts'
import { Figures } from '../support/figures.ts'

const NAME = 'conformance'

await describeWith([REDIS_PROGRAM], 'conformance', async () => {
  const server = await startRedis()
  const figures = new Figures()

  const createAdmin = () => createClient({ url: server.url, socket: { reconnectStrategy: false } }).on('error', () => {})
  let admin = createAdmin()
  /** To the server itself: what is asked for must not depend on the driver. */
  const ask = async (...command: string[]): Promise<unknown> => {
    if (!admin.isOpen) {
      admin = createAdmin()
      await admin.connect()
    }
    return admin.sendCommand(command)
  }

  afterAll(async () => {
    admin.destroy()
    await server.close()
    figures.print(`redis on Redis ${server.version}`)
  })

  /** Known before they are needed: a client that is to be killed may be silent already. */
  const ids = new WeakMap<RedisClient, string>()
  const onConnect = async (client: RedisClient): Promise<unknown> => ids.set(client, String(await client.sendCommand(['CLIENT', 'ID'])))
  const createDriver = ({ host, port }: ConformanceAddress, password = server.password) =>
    redis({ host, port, name: NAME, password, onConnect })

  const cases = driverConformance<RedisClient>({
    name: 'redis',
    target: server,
    createDriver,
    request: (client) => client.get('key'),
    createRefusedDriver: (address) => createDriver(address, 'a wrong password'),
    failingRequest: (client) => client.sendCommand(['NO_SUCH_COMMAND']),
    longRequest: (client) => client.blPop('nothing', 1.5),
    kill: (client) => ask('CLIENT', 'KILL', 'ID', ids.get(client) as string),
    leaveBehind: async (client) => {
      await client.select(3)
      await client.watch('key')
      await client.sendCommand(['CLIENT', 'SETNAME', 'left-behind'])
      await client.subscribe('news', () => {})
    },
    isClean: async (client) => {
      // With version 2 of the protocol such a client takes no other command.
      if (client.isPubSubActive) return false
      const info = String(await client.sendCommand(['CLIENT', 'INFO']))
      return [' db=0 ', ' sub=0 ', ` name=${NAME} `, ' user=default '].every((field) => info.includes(field))
    },
    countSessions: async () => {
      const list = String(await ask('CLIENT', 'LIST'))
      return list.split('\n').filter((line) => line.includes(` name=${NAME} `)).length
    },
    restart: () => server.restart(),
    report: figures.add,
  })
  for (const { name, run } of cases) it(name, run)
})
