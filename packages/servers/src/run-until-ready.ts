import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import type { Command, Guard } from './guard.ts'

const START_LIMIT_MS = 30_000
const START_TRIES = 5
const LOOK_EVERY_MS = 10

/** What the server has written so far; empty if it has not been run yet. */
export async function readLog(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

/**
 * Runs a server under its guard and resolves when it is ready for clients.
 *
 * @param name the server's, for messages
 * @param isReady is asked again and again, with the process id and what this run has written to the log.
 * @throws Error when it ends before that, or takes too long; with what it said.
 */
export async function runUntilReady(
  guard: Guard,
  name: string,
  command: Command,
  isReady: (pid: number, said: string) => boolean | Promise<boolean>,
): Promise<void> {
  const saidBefore = (await readLog(command.log)).length
  const said = async (): Promise<string> => (await readLog(command.log)).slice(saidBefore)
  const pid = await guard.run(command)
  let ended = false
  void guard.exited.then(() => {
    ended = true
  })
  const limit = performance.now() + START_LIMIT_MS
  while (!(await isReady(pid, await said()))) {
    if (ended) throw new Error(`${name} did not start:\n${await said()}`)
    if (performance.now() > limit) throw new Error(`${name} was not ready within ${START_LIMIT_MS} ms:\n${await said()}`)
    await delay(LOOK_EVERY_MS)
  }
}

/**
 * Starts a server on a port that is free, and on another one when somebody took that meanwhile.
 *
 * @param isTaken what the server says when its port is taken
 * @returns the port
 */
export async function startOnFreePort(start: (port: number) => Promise<void>, isTaken: RegExp): Promise<number> {
  for (let tries = 1; ; tries++) {
    const port = await freePort()
    try {
      await start(port)
      return port
    } catch (error) {
      if (tries === START_TRIES || !isTaken.test((error as Error).message)) throw error
    }
  }
}
