import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { withContext } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import { INITIAL_CONFIG } from '../initial-config.ts'
import type { Io } from '../io.ts'

/** `wellpool init`: a commented configuration to begin with. */
export function initCommand(program: Command, io: Io): void {
  program
    .command('init')
    .argument('[file]', 'the file to write', 'wellpool.yaml')
    .description('Write a commented configuration to begin with')
    .option('--force', 'write over a file that is there')
    .addHelpText('after', '\nExamples:\n  wellpool init\n  wellpool init /etc/wellpool/wellpool.yaml')
    .action((file: string, { force = false }: { force?: boolean }, command: Command) =>
      withContext(io, command, async (context) => {
        try {
          writeFileSync(file, INITIAL_CONFIG, { flag: force ? 'w' : 'wx', mode: 0o640 })
        } catch (error) {
          const there = (error as NodeJS.ErrnoException).code === 'EEXIST'
          throw new CliError(EXIT.failed, there ? `${file} is there already: --force writes over it` : (error as Error).message)
        }
        context.answer({ file }, () => [`${file} is written. Next: name your targets in it, then wellpool check ${file}`])
      }),
    )
}
