import type { Workload } from './workload.ts'

/** What a measuring process does: `program.js <workload> <contender>` measures once and sends the sample to its parent. */
export async function measureOne(workloads: readonly Workload[]): Promise<void> {
  const [, , workloadName, contender] = process.argv
  const workload = workloads.find(({ name }) => name === workloadName)
  if (workload === undefined || contender === undefined || process.send === undefined) {
    throw new Error('usage: started by the benchmarks with a workload and a contender')
  }
  // Whoever has started this process is gone: it would run beside what is measured next.
  process.on('disconnect', () => process.exit())
  // Some pools' timers don't hold the process open; what waits for them has to.
  process.channel?.ref()
  const sample = await workload.run(contender)
  // A pool's timers and sockets would keep the process open.
  process.send(sample, () => process.exit())
}
