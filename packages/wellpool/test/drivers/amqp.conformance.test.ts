import { RABBITMQ, startRabbitmq } from '@wellpool/servers'
import type { Channel, ChannelModel } from 'amqplib'
import { afterAll, expect, it } from 'vitest'
import { amqp } from '../../src/drivers/amqp.ts'
import { type ConformanceAddress, driverConformance } from '../../src/testing/index.ts'
import { describeWith } from '../support/describe-if.ts'
import { Figures } from '../support/figures.ts'

await describeWith([RABBITMQ], 'conformance', async () => {
  const server = await startRabbitmq()
  const figures = new Figures()

  afterAll(async () => {
    await server.close()
    figures.print('amqp on RabbitMQ')
  })

  const createDriver = ({ host, port }: ConformanceAddress, password = server.password) => amqp({ host, port, user: server.user, password })
  const onChannel = async <T>(client: ChannelModel, use: (channel: Channel) => Promise<T>): Promise<T> => {
    const channel = await client.createChannel()
    const result = await use(channel)
    await channel.close()
    return result
  }
  const left = new WeakMap<ChannelModel, boolean>()

  const cases = driverConformance<ChannelModel>({
    name: 'amqp',
    target: server,
    createDriver,
    request: (client) => onChannel(client, (channel) => channel.assertQueue('conformance', { autoDelete: true })),
    createRefusedDriver: (address) => createDriver(address, 'a wrong password'),
    // NOT_FOUND, which ends the channel.
    failingRequest: (client) => onChannel(client, (channel) => channel.checkQueue('no such queue')),
    // The connection is known by the exclusive queue that it has.
    kill: async (client) => {
      const channel = await client.createChannel()
      const { queue } = await channel.assertQueue('', { exclusive: true })
      const found = `rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${queue}">>))`
      return server.control('eval', `{ok, Q} = ${found}, rabbit_networking:close_connection(amqqueue:get_exclusive_owner(Q), "killed").`)
    },
    leaveBehind: async (client) => {
      left.set(client, true)
      const channel = await client.createChannel()
      channel.once('close', () => left.delete(client))
    },
    isClean: async (client) => !left.has(client),
    restart: () => server.restart(),
    report: figures.add,
  })
  for (const { name, run } of cases) it(name, run)

  it('leaves the broker no connection', async () => {
    expect((await server.control('list_connections', 'name')).trim()).toMatch(/^(name)?$/)
  })
})
