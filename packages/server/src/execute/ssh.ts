import type { SshCliSession, SshSession } from 'wellpool/ssh'
import { allowsCommandLine } from './allow.ts'
import type { Executor } from './executor.ts'
import { commandLineMisfit } from './misfits.ts'
import { overConnection } from './over-connection.ts'

/** Commands on hosts, over a channel each; and on devices whose pool keeps a CLI open, over that. */
export const executor: Executor = {
  misfit: commandLineMisfit,
  allows: ({ allow }, { command }) => typeof command === 'string' && allowsCommandLine(allow, command),
  timedOut: (error) => ['SSH_TIMEOUT', 'CLI_TIMEOUT'].includes((error as { code?: string }).code ?? ''),
  run: (pool, execution) =>
    overConnection<SshSession>(pool, execution, async (session) => {
      const { request, rules, signal, timeoutMs } = execution
      const command = String(request.command)
      if (isCli(session)) {
        const stdout = await session.cli.send(command, { timeout: timeoutMs, signal })
        const truncated = Buffer.byteLength(stdout) > rules.maxOutput
        return { kind: 'output', truncated, stdout: truncated ? Buffer.from(stdout).subarray(0, rules.maxOutput).toString() : stdout }
      }
      const { stdout, stderr, code } = await session.run(command, { timeout: timeoutMs, maxOutput: rules.maxOutput, signal, input: '' })
      return { kind: 'output', truncated: false, stdout, stderr, ...(code !== null && { exitCode: code }) }
    }),
}

function isCli(session: SshSession): session is SshCliSession {
  return 'cli' in session
}
