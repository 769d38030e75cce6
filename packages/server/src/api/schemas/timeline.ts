import Type from 'typebox'
import { TIMELINE_SECONDS } from '../../observe/timeline.ts'
import { closed, count, ms, time } from './common.ts'
import { HealthCounts, PoolStatsSchema } from './pools.ts'

const Percentiles = Type.Object({
  count: count(),
  p50: ms('The median'),
  p90: ms('The 90th percentile'),
  p99: ms('The 99th percentile'),
  max: ms('The largest'),
})

const { state, breaker, panic, open, total, idle, acquired, checking, connecting, rebuilding, waiting, marked } = PoolStatsSchema.properties

export const SampleSchema = Type.Object({
  timestamp: time('When the second ended'),
  ...{ state, breaker, panic, open, total, idle, acquired, checking, connecting, rebuilding, waiting, marked },
  health: HealthCounts,
  leased: count('Leases handed out in this second.'),
  acquireTimeouts: count('Borrowers whose time ran out in this second.'),
  wait: Percentiles,
  use: Percentiles,
  check: Percentiles,
  rebuild: Percentiles,
})

export const TimelineQuery = closed({
  seconds: Type.Optional(
    Type.Integer({ minimum: 1, maximum: TIMELINE_SECONDS, description: `How far back. Default and most: ${TIMELINE_SECONDS}.` }),
  ),
})
