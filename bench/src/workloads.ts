import type { Workload } from './workload.ts'
import { acquire } from './workloads/acquire.ts'
import { api, apiPart } from './workloads/api.ts'
import { contention } from './workloads/contention.ts'
import { drain } from './workloads/drain.ts'
import { memory } from './workloads/memory.ts'
import { postgresql } from './workloads/postgres.ts'
import { scaleConnections } from './workloads/scale-connections.ts'
import { scaleWaiters } from './workloads/scale-waiters.ts'
import { spike } from './workloads/spike.ts'
import { telemetry } from './workloads/telemetry.ts'
import { timeouts } from './workloads/timeouts.ts'

/** All workloads, in the order in which they run. */
export const WORKLOADS: readonly Workload[] = [
  acquire,
  contention,
  drain,
  timeouts,
  memory,
  spike,
  postgresql,
  telemetry,
  api,
  apiPart,
  scaleConnections,
  scaleWaiters,
]
