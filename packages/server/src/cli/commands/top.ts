import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { ApiConnection, ApiEventPage, ApiPool } from '../api-types.ts'
import { type CommandContext, withContext } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { Screen } from '../screen.ts'
import { renderTop, type TopState } from '../top-view.ts'

const EVENTS =
  'events?limit=200&names=connectFailed,healthCheckFailed,healthStatusChanged,rebuildMarked,rebuildCompleted,rebuildFailed,breakerOpened,breakerClosed,leakSuspected,poolPaused,poolResumed'

/** `wellpool top`: pools and connections on a full screen, as they are. */
export function topCommand(program: Command, io: Io): void {
  program
    .command('top')
    .description('Watch pools and connections on a full screen, the ill ones first, with the reason')
    .option('--interval <seconds>', 'how often to look', '1')
    .addHelpText('after', '\nKeys: q quit, i only ill connections, ↑ ↓ scroll.\n\nExamples:\n  wellpool top\n  wellpool top --interval 0.5')
    .action((options: { interval: string }, command: Command) =>
      withContext(io, command, async (context) => {
        if (context.json) throw new CliError(EXIT.usage, 'top is for people; for programs: wellpool status --json')
        if (io.stdout.isTTY !== true) throw new CliError(EXIT.usage, 'top needs a terminal; without one: wellpool status')
        const seconds = Number(options.interval)
        if (!(seconds >= 0.1 && seconds <= 60)) throw new CliError(EXIT.usage, '--interval takes seconds from 0.1 to 60')
        await watch(context, seconds * 1000)
      }),
    )
}

async function watch(context: CommandContext, intervalMs: number): Promise<void> {
  const { io, paint } = context
  const screen = new Screen(io)
  const state: TopState = {
    url: context.client().url,
    now: Date.now(),
    pools: [],
    connections: [],
    events: [],
    problem: undefined,
    onlyIll: false,
    scroll: 0,
  }
  const draw = (): void => screen.draw(renderTop(state, screen.columns, screen.rows, paint))
  const keys = new AbortController()
  const ended = AbortSignal.any([io.interrupted, keys.signal])
  screen.onKey((key) => {
    if (key === 'q' || key === '\u0003') keys.abort()
    else if (key === 'i') state.onlyIll = !state.onlyIll
    else if (key === '\u001b[A') state.scroll = Math.max(0, state.scroll - 1)
    else if (key === '\u001b[B') state.scroll++
    draw()
  })
  screen.open()
  try {
    while (!ended.aborted) {
      await look(context, state, ended)
      draw()
      // The end is no fault: the loop sees it.
      await sleep(intervalMs, undefined, { signal: ended }).catch(() => {})
    }
  } finally {
    screen.close()
  }
}

/** A moment without an answer is shown, and ends nothing; not being allowed does. */
async function look(context: CommandContext, state: TopState, ended: AbortSignal): Promise<void> {
  const client = context.client()
  try {
    const [{ pools }, { connections }, { events }] = await Promise.all([
      client.get<{ pools: ApiPool[] }>('pools', ended),
      client.get<{ connections: ApiConnection[] }>('connections', ended),
      client.get<ApiEventPage>(EVENTS, ended),
    ])
    Object.assign(state, { pools, connections, events, problem: undefined })
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.forbidden) throw error
    state.problem = (error as Error).message
  }
  state.now = Date.now()
}
