// The measuring process: `measure.js <workload> <contender>` measures once and sends the sample to its parent.
import { WORKLOADS } from './workloads.ts'

const [, , workloadName, contender] = process.argv
const workload = WORKLOADS.find(({ name }) => name === workloadName)
if (workload === undefined || contender === undefined || process.send === undefined) {
  throw new Error('usage: started by the benchmarks with a workload and a contender')
}
// Some pools' timers don't hold the process open; what waits for them has to.
process.channel?.ref()
const sample = await workload.run(contender)
// A pool's timers and sockets would keep the process open.
process.send(sample, () => process.exit())
