import type { Command } from 'commander'
import type { ApiPoolStats } from '../api-types.ts'
import { withContext } from '../context.ts'
import type { Io } from '../io.ts'
import { plain } from '../text.ts'

interface Steering {
  readonly name: 'pause' | 'resume' | 'evict'
  readonly description: string
  readonly option?: { readonly flag: string; readonly field: string; readonly description: string }
  readonly done: (stats: ApiPoolStats) => string
  readonly examples: readonly string[]
}

const STEERING: readonly Steering[] = [
  {
    name: 'pause',
    description: 'Have a pool hand out no more connections; those who wait go on waiting',
    option: { flag: '--fail-waiting', field: 'failWaiting', description: 'refuse those who wait, and those who come, at once' },
    done: ({ name, waiting }) => `${name} is paused, ${waiting} are waiting`,
    examples: ['wellpool pause orders', 'wellpool pause orders --fail-waiting'],
  },
  { name: 'resume', description: 'End a pause', done: ({ name, state }) => `${name} is ${state}`, examples: ['wellpool resume orders'] },
  {
    name: 'evict',
    description: 'Close every present connection of a pool: idle ones now, those in use on release',
    option: {
      flag: '--interrupt-in-use',
      field: 'interruptInUse',
      description: 'destroy connections in use, too: what runs over them fails',
    },
    done: ({ name, acquired }) => `${name}: idle connections are closed, ${acquired} in use`,
    examples: ['wellpool evict orders', 'wellpool evict orders --interrupt-in-use'],
  },
]

/** `wellpool pause`, `resume`, `evict`. */
export function steerCommands(program: Command, io: Io): void {
  for (const { name, description, option, done, examples } of STEERING) {
    const command = program.command(name).argument('<pool>', "the pool's name").description(description)
    if (option !== undefined) command.option(option.flag, option.description)
    command
      .addHelpText('after', `\nExamples:\n  ${examples.join('\n  ')}`)
      .action((pool: string, options: Record<string, boolean>, self: Command) =>
        withContext(io, self, async (context) => {
          const body = option !== undefined && options[option.field] === true ? { [option.field]: true } : {}
          const stats = await context.client().post<ApiPoolStats>(`pools/${encodeURIComponent(pool)}/${name}`, body)
          context.answer(stats, () => [plain(done(stats))])
        }),
      )
  }
}
