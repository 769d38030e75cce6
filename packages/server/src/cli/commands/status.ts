import type { Command } from 'commander'
import type { ApiConnection, ApiPool } from '../api-types.ts'
import { withContext } from '../context.ts'
import { byIllness, CONNECTION_COLUMNS, isIll, POOL_COLUMNS, verdictOn } from '../describe.ts'
import { EXIT } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { table } from '../table.ts'

/** `wellpool status`: all pools, and which connections are ill and why. */
export function statusCommand(program: Command, io: Io): void {
  program
    .command('status')
    .description('Show all pools, and which connections are ill and why')
    .addHelpText(
      'after',
      '\nExamples:\n  wellpool status\n  wellpool status --json | jq ".pools[].stats.waiting"\n\nEnds with 5 if a pool can’t serve.',
    )
    .action((_, command: Command) =>
      withContext(io, command, async (context) => {
        const client = context.client()
        const [{ pools }, { connections }] = await Promise.all([
          client.get<{ pools: ApiPool[] }>('pools'),
          client.get<{ connections: ApiConnection[] }>('connections'),
        ])
        const ill = connections.filter(isIll).sort(byIllness)
        context.answer({ pools, ill }, () => {
          if (pools.length === 0) return ['no pools']
          const lines = table(pools, POOL_COLUMNS, context.paint)
          const { text, color } = verdictOn(pools, ill.length)
          if (ill.length > 0) return [...lines, '', ...table(ill, CONNECTION_COLUMNS, context.paint)]
          return [...lines, '', color === undefined ? 'all connections are well' : context.paint(color, text)]
        })
        if (pools.some(({ canServe }) => !canServe)) io.exitCode = EXIT.unwell
      }),
    )
}
