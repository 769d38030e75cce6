import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { startTcpServer } from '../src/index.ts'

/** What the server on this port answers to a line. */
async function ask(port: number, line: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.write(`${line}\n`)
  const [answer] = (await once(socket.setEncoding('utf8'), 'data')) as [string]
  socket.destroy()
  return answer.trim()
}

describe('ProgramServer', { timeout: 60_000 }, () => {
  it('runs a program, tells it things, restarts it on the same port, and leaves nothing when closed', async () => {
    const server = await startTcpServer({ framing: 'line' })
    expect(await ask(server.port, 'ping')).toBe('pong')
    expect(await server.tell('sessions')).toBe(0)
    await expect(server.tell('nonsense')).rejects.toThrow('/nonsense')

    const { pid, port, folder } = server
    await server.restart()
    expect([server.port, server.pid === pid]).toEqual([port, false])
    expect(await ask(server.port, 'echo hello there')).toBe('hello there')

    await server.close()
    await server.close()
    expect(existsSync(folder)).toBe(false)
    await expect(ask(port, 'ping')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('says that it has been closed when it is to start again after that', async () => {
    const server = await startTcpServer({ framing: 'line' })
    await Promise.all([server.close(), server.stop()])
    await expect(server.start()).rejects.toThrow('has been closed')
  })

  it('says what the program said when it does not start, and leaves nothing', async () => {
    await expect(startTcpServer({ framing: 'line', path: '/no/such/folder/socket' })).rejects.toThrow(
      /tcp.ts did not start:.*EACCES|ENOENT/s,
    )
  })
})
