import { SSHD, startSshd } from '@wellpool/servers'
import { afterAll, it } from 'vitest'
import { type SshSession, ssh } from '../../src/drivers/ssh.ts'
import { type ConformanceAddress, driverConformance } from '../../src/testing/index.ts'
import { describeWith } from '../support/describe-if.ts'

await describeWith([SSHD], 'conformance', async () => {
  // One channel at a time, as many devices have it: whatever is left open shows at the next command.
  const server = await startSshd({ settings: { MaxSessions: 1 } })
  const figures = new Map<string, number[]>()

  afterAll(async () => {
    await server.close()
    const lines = [...figures].map(([figure, times]) => `${figure}: ${times.map((ms) => ms.toFixed(1)).join(', ')} ms`)
    console.info(`ssh on OpenSSH's sshd\n  ${lines.join('\n  ')}`)
  })

  const { username, privateKey, hostKeys } = server
  const hostKey = hostKeys[0]?.fingerprint as `SHA256:${string}`
  const createDriver = ({ host, port }: ConformanceAddress) => ssh({ host, port, username, privateKey, hostKey })
  const answer = async (session: SshSession, command: string): Promise<string> => (await session.run(command)).stdout.trim()

  const cases = driverConformance<SshSession>({
    name: 'ssh',
    target: server,
    createDriver,
    request: (session) => session.run('echo hello'),
    createRefusedDriver: ({ host, port }) => ssh({ host, port, username, password: 'a wrong password', hostKey }),
    // The command's parent is the process that serves the connection.
    kill: async (session) => process.kill(Number(await answer(session, 'echo $PPID')), 'SIGTERM'),
    leaveBehind: (session) => session.openCli({ platform: 'linux' }),
    isClean: async (session) => {
      try {
        return (await answer(session, 'echo clean')) === 'clean'
      } catch {
        return false
      }
    },
    countSessions: async () => (await server.sessions()).length,
    restart: () => server.restart(),
    // Each check starts a process.
    limits: { checkMs: 1000 },
    report: (figure, ms) => figures.set(figure, [...(figures.get(figure) ?? []), ms]),
  })
  for (const { name, run } of cases) it(name, run)
})
