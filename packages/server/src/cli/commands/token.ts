import type { Command } from 'commander'
import { parseDuration } from 'wellpool'
import { loadConfig } from '../../config/load.ts'
import { ROLES, type Role } from '../../security/roles.ts'
import { changeTokens, readTokens } from '../../security/token-file.ts'
import { createToken, type TokenRecord } from '../../security/tokens.ts'
import { withContext } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { table } from '../table.ts'

interface FileOptions {
  readonly file?: string
  readonly config: string
}

/** `wellpool token create`, `list`, `revoke`: the file of tokens, on this machine. */
export function tokenCommands(program: Command, io: Io): void {
  const token = program.command('token').description('Make, list and revoke the tokens of those who may use the API')
  const withFile = (command: Command): Command =>
    command
      .option('--file <file>', 'the file of tokens')
      .option('--config <file>', 'the configuration that names it as server.tokens_file', 'wellpool.yaml')

  withFile(token.command('create'))
    .argument('<name>', 'who or what it is for')
    .requiredOption('--role <roles>', `what it may do: ${ROLES.join(', ')}; several are separated by commas`)
    .option('--expires <duration>', 'after how long it is of no more use: 90d')
    .description('Make a token, and show it this once')
    .addHelpText(
      'after',
      '\nExamples:\n  wellpool token create alice --role operator\n  wellpool token create backup --role executor --expires 90d --file tokens.json',
    )
    .action((name: string, options: FileOptions & { role: string; expires?: string }, command: Command) =>
      withContext(io, command, async (context) => {
        const roles = toRoles(options.role)
        const expires = toExpiry(options.expires)
        if (name.trim() === '') throw new CliError(EXIT.usage, 'the name is empty: say who or what the token is for')
        const file = await fileOf(options, io)
        const { text, record } = createToken(name, roles, new Date(), expires)
        await changeTokens(file, (tokens) => {
          if (tokens.some((each) => each.name === name))
            throw new CliError(EXIT.failed, `there is a token for '${name}' already: revoke it first`)
          return [...tokens, record]
        })
        if (!context.json) io.stderr.write(`${file}: a token for ${name} (${roles.join(', ')}). It is shown this once:\n`)
        context.answer({ token: text, ...shown(record) }, () => [text])
      }),
    )

  withFile(token.command('list'))
    .description('List the tokens, without what would let anybody use them')
    .action((options: FileOptions, command: Command) =>
      withContext(io, command, async (context) => {
        const tokens = readTokens(await fileOf(options, io)).map(shown)
        context.answer({ tokens }, () => (tokens.length === 0 ? ['no tokens'] : table(tokens, COLUMNS, context.paint)))
      }),
    )

  withFile(token.command('revoke'))
    .argument('<name>', "the token's name or id")
    .description('Revoke a token: a running agent refuses it within a second')
    .action((name: string, options: FileOptions, command: Command) =>
      withContext(io, command, async (context) => {
        const file = await fileOf(options, io)
        let revoked: TokenRecord[] = []
        await changeTokens(file, (tokens) => {
          revoked = tokens.filter((each) => each.name === name || each.id === name)
          if (revoked.length === 0) throw new CliError(EXIT.failed, `${file} has no token '${name}'`)
          return tokens.filter((each) => !revoked.includes(each))
        })
        context.answer({ revoked: revoked.map(shown) }, () => [`${file}: ${name} is revoked`])
      }),
    )
}

const LATEST = Date.UTC(10_000, 0)

const COLUMNS = [
  { title: 'NAME', value: ({ name }: Shown) => name },
  { title: 'ID', value: ({ id }: Shown) => id },
  { title: 'ROLES', value: ({ roles }: Shown) => roles.join(', ') },
  { title: 'MADE', value: ({ createdAt }: Shown) => createdAt },
  { title: 'EXPIRES', value: ({ expiresAt = 'never' }: Shown) => expiresAt },
]

type Shown = Omit<TokenRecord, 'hash'>
const shown = ({ hash: _, ...record }: TokenRecord): Shown => record

async function fileOf({ file, config }: FileOptions, { env }: Io): Promise<string> {
  if (file !== undefined) return file
  const { server } = await loadConfig(config, { env })
  if (server.tokensFile === undefined) throw new CliError(EXIT.usage, `${config} names no server.tokens_file: add it, or say --file`)
  return server.tokensFile
}

function toRoles(text: string): Role[] {
  const roles = text.split(',').map((role) => role.trim())
  const unknown = roles.find((role) => !(ROLES as readonly string[]).includes(role))
  if (unknown !== undefined) throw new CliError(EXIT.usage, `there is no role '${unknown}': ${ROLES.join(', ')}`)
  return [...new Set(roles)] as Role[]
}

function toExpiry(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const ms = parseDuration(text)
  if (ms === undefined || !Number.isFinite(ms) || ms <= 0) throw new CliError(EXIT.usage, `'${text}' is no duration: 12h, 90d`)
  const date = new Date(Date.now() + ms)
  // Years of more than four digits are written in another way, and nobody means one.
  if (!(date.getTime() < LATEST)) throw new CliError(EXIT.usage, `'${text}' is too long: a token can expire until 9999, or never`)
  return date
}
