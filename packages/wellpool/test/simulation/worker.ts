import { parentPort } from 'node:worker_threads'
import type { Chunk } from './kinds.ts'
import { type RunResult, simulate } from './simulation.ts'

/** Plays the seeds that it is sent, one after the other, and sends back how they went. */
parentPort?.on('message', async ({ kind, from, to }: Chunk) => {
  const results: RunResult[] = []
  for (let seed = from; seed <= to; seed++) results.push(await simulate(seed, { kind }))
  parentPort?.postMessage(results)
})
