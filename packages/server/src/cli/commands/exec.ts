import type { Command } from 'commander'
import type { ApiExecuted, ApiPool } from '../api-types.ts'
import { type CommandContext, withContext } from '../context.ts'
import { durationOf } from '../durations.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import type { Io, Output } from '../io.ts'
import { table } from '../table.ts'
import { plain, plainLines, toJson } from '../text.ts'

interface Options {
  readonly param: readonly string[]
  readonly timeout?: string
}

/** `wellpool exec`: a statement or a command over a connection of a pool. */
export function execCommand(program: Command, io: Io): void {
  program
    .command('exec')
    .argument('<pool>', "the pool's name")
    .argument('<command...>', 'behind --: a statement of SQL, a command of Redis, a command for a host or a device')
    .description('Run a statement or a command over a connection of a pool; needs the role executor')
    .option(
      '-p, --param <value>',
      'a value for a parameter of the statement, in their order: JSON, or else a text',
      (value: string, all: readonly string[]) => [...all, value],
      [],
    )
    .option('--timeout <duration>', 'how long it may take: 500ms, 10s')
    .addHelpText(
      'after',
      '\nExamples:\n  wellpool exec orders -p 42 -- "select * from orders where id = $1"\n  wellpool exec cache -- GET user:42\n  wellpool exec router-17 -- show version\n\nEnds with the exit code of a command on a host.',
    )
    .action((pool: string, words: readonly string[], options: Options, command: Command) =>
      withContext(io, command, async (context) => {
        const timeout = options.timeout === undefined ? {} : { timeout: durationOf('--timeout', options.timeout) }
        const client = context.client()
        const path = `pools/${encodeURIComponent(pool)}`
        const { protocol } = await client.get<ApiPool>(path)
        const result = await client.post<ApiExecuted>(`${path}/execute`, {
          ...toRequest(protocol, words, options),
          ...timeout,
        })
        if (context.json) context.print(toJson(result, 2))
        else show(context, result)
        if (result.exitCode !== undefined) io.exitCode = result.exitCode
      }),
    )
}

function toRequest(protocol: string, words: readonly string[], { param }: Options): object {
  if (protocol === 'postgres' || protocol === 'mysql') {
    return { statement: words.join(' '), ...(param.length > 0 && { parameters: param.map(toValue) }) }
  }
  if (param.length > 0) throw new CliError(EXIT.usage, `--param is for databases, and this is ${protocol}`)
  return { command: protocol === 'redis' ? words : words.join(' ') }
}

function toValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function show({ io, paint, print }: CommandContext, result: ApiExecuted): void {
  const { kind, columns = [], rows = [], rowCount = 0, reply, stdout = '', stderr = '', truncated } = result
  if (kind === 'output') {
    io.stdout.write(safeFor(io.stdout, stdout.endsWith('\n') || stdout === '' ? stdout : `${stdout}\n`))
    io.stderr.write(safeFor(io.stderr, stderr))
  } else if (kind === 'reply') {
    print(safeFor(io.stdout, typeof reply === 'string' ? reply : JSON.stringify(reply, null, 2)))
  } else {
    const titled = columns.map(({ name }, index) => ({ title: name, value: (row: readonly unknown[]) => cell(row[index]) }))
    if (columns.length > 0) for (const line of table(rows, titled, paint)) print(line)
    io.stderr.write(`${paint('dim', plain(`${rowCount} ${rowCount === 1 ? 'row' : 'rows'}`))}\n`)
  }
  if (truncated) io.stderr.write(`${paint('yellow', 'there was more than the rules of the pool let through')}\n`)
}

/** What a peer says, for a terminal; for whatever else reads it, as it came. */
const safeFor = (output: Output, text: string): string => (output.isTTY === true ? plainLines(text) : text)

const cell = (value: unknown): string => (value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value))
