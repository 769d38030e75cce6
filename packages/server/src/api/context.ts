import type { FastifyRequest } from 'fastify'
import type { Pool, Pools } from 'wellpool'
import type { EventFeed } from '../observe/event-feed.ts'
import type { EventHistory } from '../observe/event-history.ts'
import type { EventStream } from '../observe/event-stream.ts'
import type { RebuildJobs } from '../observe/rebuild-jobs.ts'
import type { Timeline } from '../observe/timeline.ts'
import type { AuditLog } from '../security/audit-log.ts'
import type { Identity } from '../security/roles.ts'
import { ApiProblem, type Problem } from './problem.ts'
import type { toBatchResult, toRebuildResult } from './schemas/rebuilds.ts'

/** What a rebuild answers. */
export type RebuildAnswer = ReturnType<typeof toBatchResult> | ReturnType<typeof toRebuildResult>

/** What a reload has done, or would do. */
export interface ReloadReport {
  readonly applied: boolean
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly replaced: readonly string[]
  readonly reconfigured: readonly string[]
  readonly unchanged: readonly string[]
  readonly needsRestart: readonly string[]
}

/** A call that runs something over a pool. */
export interface ExecuteRequest {
  readonly statement?: string
  readonly parameters?: readonly unknown[]
  readonly command?: string | readonly string[]
  readonly timeout?: string | number
}

/** What only an agent can do: it has a file, and rules for what may be run. */
export interface AgentHooks {
  readonly file: string
  /** What stands in the file, secrets masked, and when it was applied. */
  configuration(): { readonly content: unknown; readonly loadedAt: number }
  /** @throws ConfigFileError when the file is wrong; nothing has changed then */
  reload(dryRun: boolean): Promise<ReloadReport>
  /** @throws ApiProblem */
  execute(pool: string, request: ExecuteRequest, signal: AbortSignal): Promise<object>
}

/** What the routes share. */
export interface ApiContext {
  readonly pools: Pools
  readonly feed: EventFeed
  readonly history: EventHistory
  readonly stream: EventStream
  readonly timeline: Timeline
  readonly jobs: RebuildJobs<RebuildAnswer, Problem>
  readonly audit: AuditLog
  readonly tokensNeeded: boolean
  /** Whether somebody who was let in would still be. */
  readonly stillValid: (identity: Identity) => boolean
  readonly agent: AgentHooks | undefined
}

/** The pool of this name. @throws ApiProblem POOL_NOT_FOUND */
export function poolOf({ pools }: Pick<ApiContext, 'pools'>, name: string): Pool<unknown> {
  const pool = pools.get(name)
  if (pool === undefined) throw new ApiProblem('POOL_NOT_FOUND', `there is no pool '${name}'`, { pools: pools.names() })
  return pool
}

/** The pools of this protocol. @throws ApiProblem PROTOCOL_NOT_FOUND */
export function poolsOf({ pools }: Pick<ApiContext, 'pools'>, protocol: string): Pool<unknown>[] {
  const all = [...pools].map(([, pool]) => pool)
  const found = all.filter((pool) => pool.protocol === protocol)
  if (found.length > 0) return found
  const protocols = [...new Set(all.map((pool) => pool.protocol))]
  throw new ApiProblem('PROTOCOL_NOT_FOUND', `there is no pool of the protocol '${protocol}'`, { protocols })
}

/** Who is asking. Caller must be behind the authentication. */
export function identityOf(request: FastifyRequest): Identity {
  const { identity } = request
  if (identity === null) throw new Error('bug: nobody has asked who this is')
  return identity
}

/** Whether the pool can serve borrowers: a busy one can, one without a connection to be had can't. */
export function canServe(pool: Pool<unknown>): boolean {
  const { state, total, rebuilding, breaker } = pool.stats()
  return (state === 'new' || state === 'running') && (breaker === 'closed' || total > rebuilding)
}
