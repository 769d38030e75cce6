import { type Command, Option } from 'commander'
import type { ApiConnection } from '../api-types.ts'
import { withContext } from '../context.ts'
import { byIllness, CONNECTION_COLUMNS } from '../describe.ts'
import type { Io } from '../io.ts'
import { table } from '../table.ts'

const FILTERS = ['pool', 'protocol', 'state', 'health', 'marked'] as const

/** `wellpool connections`: each connection. */
export function connectionsCommand(program: Command, io: Io): void {
  program
    .command('connections')
    .description('List connections, the ill ones first')
    .option('--pool <name>', 'only those of a pool')
    .option('--protocol <protocol>', 'only those of a protocol')
    .addOption(
      new Option('--state <state>', 'only those in a state').choices([
        'connecting',
        'idle',
        'acquired',
        'checking',
        'rebuilding',
        'closing',
      ]),
    )
    .addOption(new Option('--health <health>', 'only those of a health').choices(['unknown', 'healthy', 'degraded', 'unhealthy']))
    .option('--marked', 'only those that are to be rebuilt')
    .addHelpText('after', '\nExamples:\n  wellpool connections --health unhealthy\n  wellpool connections --pool orders --marked')
    .action((options: Record<string, string | boolean>, command: Command) =>
      withContext(io, command, async (context) => {
        const given = FILTERS.filter((name) => options[name] !== undefined).map((name): [string, string] => [name, String(options[name])])
        const query = new URLSearchParams(given)
        const { connections } = await context.client().get<{ connections: ApiConnection[] }>(`connections?${query}`)
        context.answer({ connections }, () =>
          connections.length === 0 ? ['no such connections'] : table(connections.sort(byIllness), CONNECTION_COLUMNS, context.paint),
        )
      }),
    )
}
