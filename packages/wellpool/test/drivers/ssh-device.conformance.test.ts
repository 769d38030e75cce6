import { afterAll, describe, it } from 'vitest'
import { type SshCliSession, ssh } from '../../src/drivers/ssh.ts'
import { startDevice } from '../../src/testing/devices/index.ts'
import { type ConformanceAddress, driverConformance } from '../../src/testing/index.ts'

/** The platforms whose ways differ most: with and without a commit, an enable secret, several channels. */
const PLATFORMS = ['cisco_iosxe', 'juniper_junos', 'huawei_vrp'] as const

describe.each(PLATFORMS)('conformance', { timeout: 60_000 }, async (platform) => {
  const figures = new Map<string, number[]>()
  const commands = { 'show session': ({ session }: { session: number }) => `session ${session}` }
  const device = await startDevice({ platform, enableSecret: 'open-sesame', packetSize: 7, commands })
  afterAll(async () => {
    await device.close()
    const lines = [...figures].map(([figure, times]) => `${figure}: ${times.map((ms) => ms.toFixed(1)).join(', ')} ms`)
    console.info(`ssh on a simulated ${platform}\n  ${lines.join('\n  ')}`)
  })

  const createDriver = ({ host, port }: ConformanceAddress, password = 'admin') =>
    ssh({ host, port, username: 'admin', password, hostKey: device.fingerprint, cli: { platform, enableSecret: 'open-sesame' } })
  const idOf = async ({ cli }: SshCliSession): Promise<number> => Number((await cli.send('show session')).split(' ')[1])

  const cases = driverConformance<SshCliSession>({
    name: platform,
    target: device,
    createDriver,
    request: ({ cli }) => cli.send('show session'),
    createRefusedDriver: (address) => createDriver(address, 'a wrong password'),
    failingRequest: ({ cli }) => cli.send('bogus thing'),
    kill: async (session) => device.kill(await idOf(session)),
    leaveBehind: async ({ cli }) => {
      await cli.enter('config')
      await cli.send(platform === 'juniper_junos' ? 'set system ntp server 10.0.0.9' : 'ntp server 10.0.0.9')
    },
    // Only outside of the configuration the device knows this command.
    isClean: async (session) => (await session.cli.send('show session', { allowErrors: true })).startsWith('session'),
    countSessions: async () => device.sessions.length,
    restart: () => device.reboot({ downFor: 20 }),
    // The device is in this process, and has to be given its time too.
    limits: { checkMs: 500 },
    report: (figure, ms) => figures.set(figure, [...(figures.get(figure) ?? []), ms]),
  })
  for (const { name, run } of cases) it(name, run)
})
