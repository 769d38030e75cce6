import type { Command } from 'commander'
import { EVENT_NAMES } from '../../observe/pool-event.ts'
import type { ApiEvent, ApiEventPage } from '../api-types.ts'
import { type CommandContext, withContext } from '../context.ts'
import { eventLine } from '../describe.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { plain, toJson } from '../text.ts'

interface Options {
  readonly follow?: boolean
  readonly limit: string
  readonly names?: string
  readonly pool?: string
  readonly protocol?: string
  readonly connection?: string
}

/** `wellpool events`: what has happened, and with --follow what happens. */
export function eventsCommand(program: Command, io: Io): void {
  program
    .command('events')
    .description('Show what has happened, and what happens')
    .option('-f, --follow', 'go on with what happens, until Ctrl-C')
    .option('-n, --limit <count>', 'how many of the past', '20')
    .option('--names <names>', 'only these events: names, separated by commas')
    .option('--pool <name>', 'only those of a pool')
    .option('--protocol <protocol>', 'only those of a protocol')
    .option('--connection <id>', 'only those of a connection')
    .addHelpText(
      'after',
      '\nExamples:\n  wellpool events --follow\n  wellpool events --connection orders-3 --limit 100\n  wellpool events --follow --names breakerOpened,breakerClosed --json\n\nWith --json each event is a line. What the server had to leave out is said.',
    )
    .action((options: Options, command: Command) =>
      withContext(io, command, async (context) => {
        if (!/^[1-9]\d{0,8}$/.test(options.limit)) throw new CliError(EXIT.usage, `--limit: '${options.limit}' is no whole number from 1`)
        const unknown = options.names?.split(',').find((name) => !(EVENT_NAMES as readonly string[]).includes(name.trim()))
        if (unknown !== undefined)
          throw new CliError(EXIT.usage, `--names: there is no event '${unknown.trim()}': ${EVENT_NAMES.join(', ')}`)
        const filter = queryOf(options)
        const page = await context.client().get<ApiEventPage>(`events?${filter}&limit=${encodeURIComponent(options.limit)}`)
        for (const event of page.events) show(context, event)
        if (options.follow === true) await follow(context, new URLSearchParams(`${filter}&after=${page.seq}`))
      }),
    )
}

async function follow(context: CommandContext, query: URLSearchParams): Promise<void> {
  try {
    for await (const { type, data } of context.client().events(query)) {
      if (type === 'event') show(context, data as ApiEvent)
      if (type === 'left-out') showLeftOut(context, data as Record<string, number>)
    }
  } catch (error) {
    // Ctrl-C is how one stops following.
    if (!context.io.interrupted.aborted) throw error
  }
}

function show({ json, paint, print }: CommandContext, event: ApiEvent): void {
  const { text, color } = eventLine(event)
  if (json) print(toJson(event))
  else print(color === undefined ? text : paint(color, text))
}

function showLeftOut({ json, paint, print, io }: CommandContext, counts: Record<string, number>): void {
  const what = Object.entries(counts).map(([name, count]) => `${count} × ${name}`)
  if (json) print(toJson({ leftOut: counts }))
  else io.stderr.write(`${paint('dim', plain(`left out, because there were too many: ${what.join(', ')}`))}\n`)
}

function queryOf({ names, pool, protocol, connection }: Options): URLSearchParams {
  const given = { names, pool, protocol, connectionId: connection }
  return new URLSearchParams(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
