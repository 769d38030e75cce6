import { execFileSync, type ForkOptions } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Which processor cores are whose, as `taskset` takes them: `0`, `1-3`. */
export interface Cores {
  readonly application: string
  readonly server: string
  /** This process, and whatever it starts from now on, has all of them again. Who runs already keeps what it has. */
  giveBack(): void
}

/**
 * Shares the machine out: the application shall have the first core, the server all others. Where they share them, the
 * scheduler gives now one a turn and now the other, and a turn is longer than most requests: the slowest of a hundred are
 * those that met one.
 *
 * From now on this process has the server's cores, and so has whatever it starts, until they are given back; who is to have
 * the application's is started with {@link onCores}.
 *
 * @returns undefined where there is one core, or no `taskset`: then everybody has all
 */
export function shareOutCores(): Cores | undefined {
  const all = coresOfThisProcess()
  const [application, ...others] = listed(all)
  if (application === undefined || others.length === 0 || !assign(others.join(','))) return undefined
  return { application: String(application), server: others.join(','), giveBack: () => void assign(all) }
}

/** Options of `fork` for a process with these flags that has these cores alone; without any, those of this process. */
export function onCores(cores: string | undefined, flags: readonly string[]): Pick<ForkOptions, 'execPath' | 'execArgv'> {
  if (cores === undefined) return { execArgv: [...flags] }
  return { execPath: 'taskset', execArgv: ['--cpu-list', cores, process.execPath, ...flags] }
}

/** Such as `0-1`; empty on systems that don't tell. */
export function coresOfThisProcess(): string {
  try {
    return /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  } catch {
    return ''
  }
}

/** `0-2,5` → 0, 1, 2, 5. */
export function listed(cores: string): number[] {
  if (cores === '') return []
  return cores.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

/** @returns whether it could be done */
function assign(cores: string): boolean {
  try {
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(process.pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
