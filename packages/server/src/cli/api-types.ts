import type { Static } from 'typebox'
import type { ReloadReport } from '../api/context.ts'
import type { ConnectionSchema } from '../api/schemas/connections.ts'
import type { EventPage, EventSchema } from '../api/schemas/events.ts'
import type { ExecuteResult } from '../api/schemas/execute.ts'
import type { PoolSchema, PoolStatsSchema } from '../api/schemas/pools.ts'
import type { BatchResultSchema, JobSchema, RebuildResultSchema } from '../api/schemas/rebuilds.ts'

// What the API answers, as its schemas have it.
export type ApiPool = Static<typeof PoolSchema>
export type ApiPoolStats = Static<typeof PoolStatsSchema>
export type ApiConnection = Static<typeof ConnectionSchema>
export type ApiEvent = Static<typeof EventSchema>
export type ApiEventPage = Static<typeof EventPage>
export type ApiJob = Static<typeof JobSchema>
export type ApiRebuild = Static<typeof RebuildResultSchema>
export type ApiBatch = Static<typeof BatchResultSchema>
export type ApiExecuted = Static<typeof ExecuteResult>
export type ApiReload = ReloadReport
