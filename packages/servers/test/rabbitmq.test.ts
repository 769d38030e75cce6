import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { findProgram, inCi, NoServerError, RABBITMQ, startRabbitmq } from '../src/index.ts'

const foldersNow = async (): Promise<string[]> => (await readdir(tmpdir())).filter((name) => name.startsWith('wellpool-rabbitmq-'))

/** Whether somebody listens there. */
const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

const installed = await findProgram(RABBITMQ).then(
  () => true,
  (error) => {
    if (error instanceof NoServerError && !inCi()) return false
    throw error
  },
)

it.runIf(installed)(
  'RabbitmqServer restarts on the same port, obeys rabbitmqctl, and leaves nothing when closed',
  { timeout: 60_000 },
  async () => {
    const before = await foldersNow()
    const server = await startRabbitmq()
    const folder = (await foldersNow()).find((name) => !before.includes(name)) ?? ''
    expect(await server.control('list_users')).toContain('guest')
    await server.restart()
    expect(await listens(server.port)).toBe(true)
    await server.close()
    await server.close()
    expect(await listens(server.port)).toBe(false)
    expect(existsSync(`${tmpdir()}/${folder}`)).toBe(false)
  },
)
