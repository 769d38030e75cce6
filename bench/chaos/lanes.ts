import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { LaneAnswer } from './lane.ts'
import type { Job, Run } from './run.ts'

/** Several lanes side by side: each takes the next job as soon as it is free. */
export class Lanes {
  /** The version of PostgreSQL. */
  readonly serverVersion: string
  readonly #lanes: readonly ChildProcess[]

  private constructor(lanes: readonly ChildProcess[], serverVersion: string) {
    this.#lanes = lanes
    this.serverVersion = serverVersion
  }

  /**
   * Starts them.
   *
   * @param program the compiled program of a lane
   */
  static async start(program: string, count: number): Promise<Lanes> {
    // One that is forked with a loader's flags would hand them on to what it forks.
    const env = { ...process.env, NODE_OPTIONS: '' }
    const lanes = Array.from({ length: count }, () => fork(program, { serialization: 'advanced', env, execArgv: ['--enable-source-maps'] }))
    const versions = await Promise.all(lanes.map((lane) => hear(lane)))
    const [first] = versions
    return new Lanes(lanes, first !== undefined && 'ready' in first ? first.ready : 'unknown')
  }

  /**
   * Does all jobs, the longest first, so that none is left over when the others are through.
   *
   * @param done is told of each run as it ends
   * @param failed is told of those that came to nothing
   */
  async perform(jobs: readonly Job[], done: (run: Run) => void, failed: (why: string) => void): Promise<void> {
    const queue = [...jobs].sort((a, b) => b.seconds - a.seconds)
    const work = async (lane: ChildProcess): Promise<void> => {
      for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
        lane.send(job)
        const answer = await hear(lane)
        if ('run' in answer) done(answer.run)
        else failed(`${job.scenario} (${job.variant}) with ${job.contender}: ${'failed' in answer ? answer.failed : 'no answer'}`)
      }
    }
    await Promise.all(this.#lanes.map(work))
  }

  /** Ends them, with all that they have started. */
  async close(): Promise<void> {
    await Promise.all(
      this.#lanes.map(async (lane) => {
        if (lane.exitCode !== null || lane.signalCode !== null) return
        const ended = once(lane, 'exit')
        lane.disconnect()
        await ended
      }),
    )
  }
}

/** A lane's next answer. @throws Error when it ends instead */
function hear(lane: ChildProcess): Promise<LaneAnswer> {
  return new Promise((resolve, reject) => {
    const exited = (code: number | null, signal: string | null): void => {
      lane.off('message', heard)
      reject(new Error(`a lane ended with ${signal ?? `code ${code}`}`))
    }
    const heard = (message: unknown): void => {
      lane.off('exit', exited)
      resolve(message as LaneAnswer)
    }
    lane.once('message', heard)
    lane.once('exit', exited)
  })
}
