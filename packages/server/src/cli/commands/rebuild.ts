import type { Command } from 'commander'
import type { ApiBatch, ApiConnection, ApiJob, ApiPool, ApiRebuild } from '../api-types.ts'
import type { ApiClient } from '../client.ts'
import { type CommandContext, withContext } from '../context.ts'
import { durationOf } from '../durations.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { ProgressBar } from '../progress-bar.ts'
import { type Column, table } from '../table.ts'
import { duration, plain } from '../text.ts'

interface Options {
  readonly all?: boolean
  readonly pool?: string
  readonly protocol?: string
  readonly due?: boolean
  readonly urgent?: boolean
  readonly timeout?: string
}

const POLL_EVERY = 150

/** `wellpool rebuild`: one connection, or many with a progress bar. */
export function rebuildCommand(program: Command, io: Io): void {
  program
    .command('rebuild')
    .argument('[target]', "a connection's id, a pool's name or a protocol")
    .description('Rebuild connections, a few at a time; each serves until its successor is ready')
    .option('--all', 'every connection of all pools')
    .option('--pool <name>', 'every connection of a pool')
    .option('--protocol <protocol>', 'every connection of a protocol')
    .option('--due', 'only those that are marked or due')
    .option('--urgent', 'one connection leaves service at once, instead of serving until its successor is ready')
    .option('--timeout <duration>', 'after this nothing more is begun: 30s, 5m')
    .addHelpText(
      'after',
      '\nExamples:\n  wellpool rebuild orders-3\n  wellpool rebuild postgres\n  wellpool rebuild --all --due\n\nCtrl-C cancels what has not begun. Ends with 5 if a rebuild has failed or was cancelled.',
    )
    .action((target: string | undefined, options: Options, command: Command) =>
      withContext(io, command, async (context) => {
        const client = context.client()
        const timeout = options.timeout === undefined ? {} : { timeout: durationOf('--timeout', options.timeout) }
        const path = await resolveTarget(client, target, options)
        const body = { ...bodyFor(path, options), ...timeout }
        const job = await follow(context, await client.post<ApiJob>(path, body, { prefer: 'respond-async' }))
        report(context, job)
      }),
    )
}

/** @throws CliError where an option is about something else than what is meant */
function bodyFor(path: string, { due = false, urgent = false }: Options): object {
  if (path.startsWith('connections/')) {
    if (due) throw new CliError(EXIT.usage, '--due chooses among many connections, and this is one: it is rebuilt in any case')
    return { urgent }
  }
  if (urgent) throw new CliError(EXIT.usage, '--urgent is for one connection, and these are many: wellpool rebuild <id> --urgent')
  return { all: !due }
}

/** The route for what is meant. @throws CliError when that is nothing, or several things */
async function resolveTarget(client: ApiClient, target: string | undefined, { all, pool, protocol }: Options): Promise<string> {
  const meant = [target, pool, protocol, all === true ? 'all' : undefined].filter((given) => given !== undefined)
  if (meant.length !== 1) throw new CliError(EXIT.usage, 'say what to rebuild: a connection, a pool, a protocol, or --all')
  const encode = encodeURIComponent
  if (all === true) return 'rebuild'
  if (pool !== undefined) return `pools/${encode(pool)}/rebuild`
  if (protocol !== undefined) return `protocols/${encode(protocol)}/rebuild`
  const name = target as string
  const [{ pools }, { connections }] = await Promise.all([
    client.get<{ pools: ApiPool[] }>('pools'),
    client.get<{ connections: ApiConnection[] }>('connections'),
  ])
  const found = [
    ...(connections.some(({ id }) => id === name) ? [`connections/${encode(name)}/rebuild`] : []),
    ...(pools.some((each) => each.name === name) ? [`pools/${encode(name)}/rebuild`] : []),
    ...(pools.some((each) => each.protocol === name) ? [`protocols/${encode(name)}/rebuild`] : []),
  ]
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  if (only === undefined) throw new CliError(EXIT.failed, `there is no connection, pool or protocol '${name}'`)
  throw new CliError(EXIT.usage, `'${name}' is both a pool and a protocol: say --pool ${name} or --protocol ${name}`)
}

/** Waits for the end of a job. */
async function follow(context: CommandContext, started: ApiJob): Promise<ApiJob> {
  const { io } = context
  const client = context.client()
  const bar = new ProgressBar(io.stderr, context.json ? false : io.stderr.isTTY === true)
  let job = started
  let cancelled = false
  while (job.state === 'running') {
    bar.show(job.progress)
    if (io.interrupted.aborted && !cancelled) {
      cancelled = true
      job = await client.delete<ApiJob>(`jobs/${job.id}`)
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY))
    job = await client.watch<ApiJob>(`jobs/${job.id}`)
  }
  bar.end()
  return job
}

function report({ io, paint, answer }: CommandContext, job: ApiJob): void {
  const result = (job.result ?? (job.problem as { result?: unknown } | undefined)?.result) as ApiBatch | ApiRebuild | undefined
  answer(job, () => {
    if (result === undefined) return [paint('red', plain((job.problem as { detail?: string } | undefined)?.detail ?? job.state))]
    const results = 'results' in result ? result.results : [result]
    const failures = results.filter(({ success }) => !success)
    const lines = failures.length === 0 ? [] : table(failures, FAILURE_COLUMNS, paint)
    return [...lines, summary(job, result, paint)]
  })
  const failed = result === undefined || ('results' in result ? result.failed + result.skipped > 0 : !result.success)
  if (failed || job.state !== 'completed') io.exitCode = EXIT.unwell
}

const FAILURE_COLUMNS: readonly Column<ApiRebuild>[] = [
  { title: 'CONNECTION', value: ({ connectionId }) => connectionId },
  { title: 'FAILED AT', value: ({ stage }) => stage },
  { title: 'BECAUSE', value: ({ error }) => error?.message ?? '' },
]

function summary(job: ApiJob, result: ApiBatch | ApiRebuild, paint: CommandContext['paint']): string {
  if (!('results' in result)) {
    const { connectionId, success, oldGeneration, newGeneration, durationMs } = result
    return success
      ? paint('green', plain(`${connectionId} rebuilt in ${duration(durationMs)}: generation ${oldGeneration} → ${newGeneration}`))
      : paint('red', `${plain(connectionId)} was not rebuilt: the old client serves on, where there is one`)
  }
  const { total, succeeded, failed, skipped, durationMs } = result
  if (total === 0) return 'nothing to rebuild'
  const text = `${succeeded} of ${total} rebuilt in ${duration(durationMs)}${failed > 0 ? `, ${failed} failed` : ''}${skipped > 0 ? `, ${skipped} not begun` : ''}${job.state === 'cancelled' ? ', cancelled' : ''}`
  return paint(failed + skipped === 0 ? 'green' : 'yellow', plain(text))
}
