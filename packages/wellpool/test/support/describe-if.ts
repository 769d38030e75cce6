import { findProgram, inCi, NoServerError, type Program } from '@wellpool/servers'
import { describe, it } from 'vitest'

/** Real servers take their time on a machine that is busy with other test files. */
const TIMEOUT_MS = 60_000

/** Declares tests that need these programs, which are installed if that is possible. */
export async function describeWith(programs: readonly Program[], name: string, declare: () => void | Promise<void>): Promise<void> {
  describeIf(await missingOf(programs), name, declare)
}

/**
 * Declares tests that need something. Where it is missing they are reported as not run; on a CI machine that is
 * a failure.
 *
 * @param missing why they can't be run; undefined if they can
 */
export function describeIf(missing: string | undefined, name: string, declare: () => void | Promise<void>): void {
  if (missing === undefined) {
    describe(name, { timeout: TIMEOUT_MS }, declare)
    return
  }
  const message = `NOT RUN: ${name}: ${missing}`
  if (inCi()) throw new Error(message)
  console.error(`\n${message}\n`)
  describe(name, () => {
    it('is not run', ({ skip }) => skip(missing))
  })
}

async function missingOf(programs: readonly Program[]): Promise<string | undefined> {
  try {
    for (const program of programs) await findProgram(program)
    return undefined
  } catch (error) {
    if (error instanceof NoServerError) return error.message
    throw error
  }
}
