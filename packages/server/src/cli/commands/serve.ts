import type { Command } from 'commander'
import pino from 'pino'
import { startAgent } from '../../agent/agent.ts'
import type { ReloadReport } from '../../api/context.ts'
import { withContext } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { plain, plainJson } from '../text.ts'

/** `wellpool serve` and `wellpool reload`: the agent. */
export function serveCommands(program: Command, io: Io): void {
  program
    .command('serve')
    .description('Hold the pools of a configuration file, and serve the API and the dashboard')
    .option('--config <file>', 'the configuration file', 'wellpool.yaml')
    .addHelpText(
      'after',
      '\nExamples:\n  wellpool serve --config /etc/wellpool/wellpool.yaml\n\nWrites lines of JSON. SIGHUP: read the file again and apply what has changed, without losing a lease.\nSIGTERM or Ctrl-C: let leases end, for as long as drain_timeout says, and stop; a second one cuts that short.',
    )
    .action(({ config }: { config: string }) => serve(config, io))

  program
    .command('reload')
    .description('Have a running agent read its file again, and apply what has changed')
    .option('--dry-run', 'only say what would be done')
    .addHelpText('after', '\nExamples:\n  wellpool reload --dry-run\n  wellpool reload')
    .action(({ dryRun = false }: { dryRun?: boolean }, command: Command) =>
      withContext(io, command, async (context) => {
        const report = await context.client().post<ReloadReport>('config/reload', { dryRun })
        context.answer(report, () => describe(report))
      }),
    )
}

async function serve(file: string, io: Io): Promise<void> {
  // Its pools serve others than those who read what it logs.
  io.outlivesReader = true
  const logger = pino({ base: null }, { write: (line) => void io.stdout.write(plainJson(line)) })
  const { agent } = await startAgent({ file, env: io.env, logger })
  const reload = (): void => {
    agent.reload().catch((error: unknown) => logger.error({ err: error }, 'the file is wrong; everything stays as it was'))
  }
  process.on('SIGHUP', reload)
  try {
    await new Promise<void>((resolve) => {
      let asked = 0
      const stop = (): void => {
        // The first is a wish, the second an order.
        const stopped = agent.stop()
        if (++asked === 1) void stopped.then(resolve)
      }
      if (io.interrupted.aborted) stop()
      io.interrupted.addEventListener('abort', stop)
      process.on('SIGTERM', stop)
      // The first Ctrl-C is told as an interruption.
      let interrupts = 0
      process.on('SIGINT', () => ++interrupts > 1 && stop())
    })
  } catch (error) {
    throw new CliError(EXIT.failed, (error as Error).message)
  } finally {
    process.off('SIGHUP', reload)
  }
}

function describe({ applied, added, removed, replaced, reconfigured, unchanged, needsRestart }: ReloadReport): string[] {
  const line = (what: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [plain(`${what.padEnd(13)} ${names.join(', ')}`)]
  return [
    applied ? 'applied' : 'this would be done:',
    ...line('added', added),
    ...line('removed', removed),
    ...line('replaced', replaced),
    ...line('reconfigured', reconfigured),
    ...line('unchanged', unchanged),
    ...line('needs restart', needsRestart),
  ]
}
