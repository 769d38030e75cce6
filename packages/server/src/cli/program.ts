import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { ConfigError } from 'wellpool'
import { checkCommand } from './commands/check.ts'
import { completionsCommand } from './commands/completions.ts'
import { connectionsCommand } from './commands/connections.ts'
import { eventsCommand } from './commands/events.ts'
import { execCommand } from './commands/exec.ts'
import { initCommand } from './commands/init.ts'
import { rebuildCommand } from './commands/rebuild.ts'
import { serveCommands } from './commands/serve.ts'
import { statusCommand } from './commands/status.ts'
import { steerCommands } from './commands/steer.ts'
import { tokenCommands } from './commands/token.ts'
import { topCommand } from './commands/top.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { type Io, wantsColor } from './io.ts'
import { painter, plainLines, toJson } from './text.ts'

const COMMANDS = [
  serveCommands,
  checkCommand,
  initCommand,
  statusCommand,
  topCommand,
  connectionsCommand,
  eventsCommand,
  rebuildCommand,
  steerCommands,
  execCommand,
  tokenCommands,
  completionsCommand,
] as const

/**
 * The command `wellpool`, with all its commands.
 *
 * @param json whether what is wrong with the command line is left to the caller to tell
 */
export function createProgram(io: Io, json = false): Command {
  const writeErr = (text: string): void => {
    if (!json) io.stderr.write(text)
  }
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  const program = new Command('wellpool')
    .description('See and steer the connection pools of an agent, or of an application with its API')
    .version(version)
    .option('--url <address>', 'where the agent is; or WELLPOOL_URL. Default http://127.0.0.1:7710')
    .option('--token-file <file>', 'the file with your token; or WELLPOOL_TOKEN_FILE, or the token itself in WELLPOOL_TOKEN')
    .option('--ca <file>', 'a certificate in PEM that the agent’s is signed by; or WELLPOOL_CA')
    .option('--json', 'write JSON, for programs')
    .enablePositionalOptions()
    .showHelpAfterError('(wellpool --help shows how it is used)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => void io.stdout.write(text), writeErr })
    .addHelpText(
      'after',
      '\nExamples:\n  wellpool init && wellpool check && wellpool serve\n  wellpool top\n  wellpool rebuild --all\n\nExit codes: 0 done, 1 refused or failed, 2 wrong command line or file, 3 no agent, 4 not allowed, 5 something is not well.',
    )
  for (const add of COMMANDS) add(program, io)
  for (const command of everyCommand(program)) {
    // Common options are taken behind the command as well as before it.
    if (command !== program) for (const option of program.options) if (option.long !== '--version') command.addOption(option)
    command.exitOverride().configureOutput({ writeOut: (text) => void io.stdout.write(text), writeErr })
  }
  return program
}

/** Runs a command line. The exit code is set on `io`; it never rejects. */
export async function run(args: readonly string[], io: Io): Promise<void> {
  const json = wantsJson(args)
  const program = createProgram(io, json)
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError && (error.exitCode === 0 || !json)) {
      // It has said so itself.
      io.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
      return
    }
    const { exitCode, message, problem } = describe(error, io)
    io.exitCode = exitCode
    io.stderr.write(json ? `${toJson({ error: message, ...problem })}\n` : `${painter(wantsColor(io))('red', plainLines(message))}\n`)
  }
}

/** Also of a command line that can't be parsed. What stands behind `--` is the peer's. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? args.length : end).includes('--json')
}

/** Without a command the help is shown, and that is the whole message. */
const usageOf = ({ code, message }: CommanderError): string =>
  code === 'commander.help' ? 'no command: wellpool --help lists them' : message.replace(/^error: /, '')

function* everyCommand(command: Command): Generator<Command> {
  yield command
  for (const each of command.commands) yield* everyCommand(each)
}

function describe(error: unknown, { interrupted }: Io): { exitCode: number; message: string; problem?: object | undefined } {
  if (error instanceof CliError) return error
  if (error instanceof CommanderError) return { exitCode: EXIT.usage, message: usageOf(error) }
  if (error instanceof ConfigError) return { exitCode: EXIT.usage, message: error.message, problem: { problems: error.problems } }
  if (interrupted.aborted) return { exitCode: 130, message: 'interrupted' }
  const { message, code } = error as NodeJS.ErrnoException
  return { exitCode: EXIT.failed, message: code === 'ENOENT' ? message.replace(/^ENOENT: /, '') : message }
}
