import type { Command } from 'commander'
import type { Io } from '../io.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

/** A command and what can follow it. */
interface Words {
  /** The words that lead to it: `token create`. */
  readonly path: string
  readonly description: string
  readonly next: readonly { readonly word: string; readonly description: string }[]
}

/** `wellpool completions`: a script for a shell. */
export function completionsCommand(program: Command, io: Io): void {
  program
    .command('completions')
    .argument('<shell>', SHELLS.join(', '))
    .description('Print what makes a shell complete the words of this command')
    .addHelpText(
      'after',
      '\nExamples:\n  source <(wellpool completions bash)\n  wellpool completions zsh > "${fpath[1]}/_wellpool"\n  wellpool completions fish > ~/.config/fish/completions/wellpool.fish',
    )
    .action((shell: string, _: object, command: Command) => {
      if (!(SHELLS as readonly string[]).includes(shell)) command.error(`error: no shell '${shell}': ${SHELLS.join(', ')}`)
      io.stdout.write(SCRIPTS[shell as Shell](wordsOf(program)))
    })
}

/** All commands, the program itself first. */
export function wordsOf(command: Command, path: readonly string[] = []): Words[] {
  const commands = command.commands.map((each) => ({ word: each.name(), description: each.description() }))
  const options = command.options
    .filter(({ hidden }) => !hidden)
    .map(({ long, short, description }) => ({ word: long ?? short ?? '', description }))
  const own = {
    path: path.join(' '),
    description: command.description(),
    next: [...commands, ...options, { word: '--help', description: 'show help' }],
  }
  return [own, ...command.commands.flatMap((each) => wordsOf(each, [...path, each.name()]))]
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

const SCRIPTS: Readonly<Record<Shell, (words: readonly Words[]) => string>> = {
  bash: (words) => `_wellpool() {
  local path="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${words
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      ${quote(path.includes(' ') ? path : ` ${path}`)}) path="${path}" ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${words.map(({ path, next }) => `    ${quote(path)}) COMPREPLY=($(compgen -W ${quote(next.map(({ word }) => word).join(' '))} -- "\${COMP_WORDS[COMP_CWORD]}")) ;;`).join('\n')}
  esac
}
complete -o default -F _wellpool wellpool
`,
  zsh: (words) => `#compdef wellpool
_wellpool() {
  local path="" word
  local -a next
  for word in "\${words[@]:1:$((CURRENT-2))}"; do
    case "$path $word" in
${words
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      ${quote(path.includes(' ') ? path : ` ${path}`)}) path="${path}" ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${words.map(({ path, next }) => `    ${quote(path)}) next=(${next.map(({ word, description }) => quote(`${word.replaceAll(':', '\\:')}:${description}`)).join(' ')}) ;;`).join('\n')}
  esac
  _describe 'wellpool' next || _files
}
compdef _wellpool wellpool
`,
  fish: (words) =>
    words
      .flatMap(({ path, next }) =>
        next.map(({ word, description }) => {
          const [group, leaf] = path.split(' ')
          const condition =
            path === ''
              ? '__fish_use_subcommand'
              : leaf === undefined
                ? `__fish_seen_subcommand_from ${group}`
                : `__fish_seen_subcommand_from ${group}; and __fish_seen_subcommand_from ${leaf}`
          const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`
          return `complete -c wellpool -n ${quote(condition)} ${what} -d ${quote(description)}`
        }),
      )
      .join('\n')
      .concat('\n'),
}
