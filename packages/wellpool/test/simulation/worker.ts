import { parentPort } from 'node:worker_threads'
import { type RunResult, simulate } from './simulation.ts'

/** Plays the seeds that it is sent, one after the other, and sends back how they went. */
parentPort?.on('message', async ({ from, to }: { from: number; to: number }) => {
  const results: RunResult[] = []
  for (let seed = from; seed <= to; seed++) results.push(await simulate(seed))
  parentPort?.postMessage(results)
})
