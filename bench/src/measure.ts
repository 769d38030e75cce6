// The measuring process of the benchmarks.
import { measureOne } from './measuring.ts'
import { WORKLOADS } from './workloads.ts'

await measureOne(WORKLOADS)
