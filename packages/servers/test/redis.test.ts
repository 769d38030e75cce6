import { createClient } from 'redis'
import { expect, it } from 'vitest'
import { describeWith } from '../../wellpool/test/support/describe-if.ts'
import { REDIS_PROGRAM, startRedis } from '../src/index.ts'

async function ask(url: string, ...command: string[]): Promise<unknown> {
  const client = createClient({ url, socket: { reconnectStrategy: false } })
  client.on('error', () => {})
  await client.connect()
  try {
    return await client.sendCommand(command)
  } finally {
    client.destroy()
  }
}

await describeWith([REDIS_PROGRAM], 'RedisServer', () => {
  it('answers to its password, restarts on the same port, and is gone when closed', async () => {
    const server = await startRedis({ settings: { maxclients: 17 } })
    expect(server.version).toMatch(/^\d+\.\d+\.\d+$/)
    expect(await ask(server.url, 'CONFIG', 'GET', 'maxclients')).toEqual({ maxclients: '17' })
    await expect(ask(server.url.replace(server.password, 'wrong'), 'PING')).rejects.toThrow(/WRONGPASS/)

    for (const mode of ['fast', 'crash'] as const) {
      const { pid, port } = server
      await server.restart(mode)
      expect(server.port).toBe(port)
      expect(server.pid).not.toBe(pid)
    }
    await server.close()
    await server.close()
    await expect(ask(server.url, 'PING')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('may be the read-only replica of another one', async () => {
    await using server = await startRedis()
    await using replica = await startRedis({ replicaOf: server })
    expect(await ask(replica.url, 'CONFIG', 'GET', 'replicaof')).toEqual({ replicaof: `127.0.0.1 ${server.port}` })
    await expect(ask(replica.url, 'SET', 'key', 'value')).rejects.toThrow(/^READONLY/)
  })

  it('says what the server said when it does not start', async () => {
    await expect(startRedis({ settings: { 'no-such-setting': 1 } })).rejects.toThrow(/Bad directive|Fatal config/)
  })
})
