import { spawnSync } from 'node:child_process'
import { chown } from 'node:fs/promises'

/** The user that a server runs as: none given means the present one. */
export interface RunAs {
  readonly uid?: number
  readonly gid?: number
}

/**
 * Database servers refuse to run as root. Anybody else runs them as they are; root lends them the first of these
 * users that the machine has.
 *
 * @throws Error when root has neither.
 */
export function unprivileged(candidates: readonly string[] = ['postgres', 'nobody']): RunAs {
  if (process.getuid?.() !== 0) return {}
  for (const name of candidates) {
    const uid = idOf('-u', name)
    const gid = idOf('-g', name)
    if (uid !== undefined && gid !== undefined) return { uid, gid }
  }
  throw new Error(`root cannot run the server itself, and the machine has none of the users ${candidates.join(', ')}`)
}

/** Hands a file or a folder over to the user, if it is another one than the present. */
export async function giveTo(runAs: RunAs, path: string): Promise<void> {
  if (runAs.uid !== undefined && runAs.gid !== undefined) await chown(path, runAs.uid, runAs.gid)
}

function idOf(which: '-u' | '-g', name: string): number | undefined {
  const { status, stdout } = spawnSync('id', [which, name], { encoding: 'utf8' })
  return status === 0 ? Number(stdout) : undefined
}
