import { setTimeout as delay } from 'node:timers/promises'
import { runToEnd } from './run-to-end.ts'

const LOOK_EVERY_MS = 5

/** The processes that a process has started and that run now. */
export async function childrenOf(pid: number): Promise<number[]> {
  const table = await runToEnd('ps', ['-A', '-o', 'pid=,ppid='])
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []))
}

/** Resolves when none of the processes runs any more. */
export async function haveEnded(pids: readonly number[]): Promise<void> {
  while (pids.some(runs)) await delay(LOOK_EVERY_MS)
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
