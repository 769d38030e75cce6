import { existsSync } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { NoServerError } from './no-server-error.ts'
import { runToEnd } from './run-to-end.ts'

/** A program that tests need. */
export interface Program {
  /** Its file's name: `'redis-server'`. */
  readonly name: string
  /** What to install on Debian to have it. */
  readonly debianPackages: readonly string[]
  /** Where it may be beside the search path: systems keep servers where users do not look. */
  readonly folders?: readonly string[]
  /** The environment variable that names another one to use. */
  readonly variable?: string
}

const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin']

/**
 * Finds a program: the one that its variable names, or on the search path, or in one of its folders; failing that, root
 * on Debian installs it.
 *
 * @returns its path
 * @throws NoServerError when it is not there and can't be installed; with what to do
 */
export async function findProgram(program: Program): Promise<string> {
  const found = await find(program)
  if (found !== undefined) return found
  const packages = program.debianPackages.join(' ')
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    throw new NoServerError(`${program.name} is not installed; on Debian: apt-get install ${packages}`)
  }
  await install(program.debianPackages)
  const installed = await find(program)
  if (installed === undefined) throw new NoServerError(`apt-get install ${packages} has brought no ${program.name}`)
  return installed
}

async function find({ name, folders = [], variable }: Program): Promise<string | undefined> {
  const chosen = variable === undefined ? undefined : process.env[variable]
  if (chosen !== undefined && chosen !== '') return chosen
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS, ...folders]) {
    if (folder === '') continue
    const path = join(folder, name)
    if (await isExecutable(path)) return path
  }
  return undefined
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** Several processes may ask at once, and apt takes one at a time. The packages' own services are not started. */
async function install(packages: readonly string[]): Promise<void> {
  const command = `apt-get update -q && apt-get install -q -y --no-install-recommends ${packages.join(' ')}`
  console.error(`Installing ${packages.join(', ')} (apt-get) …`)
  try {
    await runToEnd('flock', [join(tmpdir(), 'wellpool-apt.lock'), 'sh', '-c', command], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    })
  } catch (error) {
    throw new NoServerError(`${packages.join(', ')} could not be installed: ${(error as Error).message}`)
  }
}
