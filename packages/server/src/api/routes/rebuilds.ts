import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { type BatchRebuildOptions, ConfigError, type Pool, parseDuration } from 'wellpool'
import type { RebuildTarget } from '../../observe/rebuild-jobs.ts'
import { audited, noteChange } from '../audited.ts'
import { type ApiContext, identityOf, poolOf, poolsOf, type RebuildAnswer } from '../context.ts'
import { ApiProblem, toProblem } from '../problem.ts'
import { describeRoute, problems } from '../schemas/common.ts'
import { ConnectionParams } from '../schemas/connections.ts'
import { PoolParams } from '../schemas/pools.ts'
import {
  BatchResultSchema,
  JobSchema,
  RebuildManyBody,
  RebuildOneBody,
  RebuildResultSchema,
  toBatchResult,
  toRebuildResult,
} from '../schemas/rebuilds.ts'
import { findConnection } from './connections.ts'
import { ProtocolParams, toJob } from './jobs.ts'

/** A rebuild that was asked for. */
interface Request {
  readonly target: RebuildTarget
  readonly details: Readonly<Record<string, unknown>>
  /** The ids of the connections that it is about. */
  readonly connections: ReadonlySet<string>
  run(signal: AbortSignal): Promise<RebuildAnswer>
}

const ACCEPTED = { 202: JobSchema }

/** Rebuilds by hand: wait for the result, or follow a job. */
export function rebuildRoutes(app: FastifyInstance, context: ApiContext): void {
  const { pools } = context

  const one = {
    200: RebuildResultSchema,
    ...ACCEPTED,
    ...problems(
      [404, 'There is no such connection.'],
      [409, 'It can’t be rebuilt now, or was in use for too long.'],
      [503, 'The endpoint can’t be reached.'],
    ),
  }
  app.post<{ Params: Static<typeof ConnectionParams>; Body: Static<typeof RebuildOneBody> | undefined }>(
    '/connections/:id/rebuild',
    describeRoute('rebuilds', 'rebuildConnection', 'Rebuild one connection', 'operator', one, {
      params: ConnectionParams,
      body: RebuildOneBody,
    }),
    (request, reply) => {
      const { id } = request.params
      findConnection(context, id)
      const options = request.body ?? {}
      return answer(context, request, reply, {
        target: { kind: 'connection', name: id },
        details: options,
        connections: new Set([id]),
        run: async (signal) => toRebuildResult(await pools.rebuildConnectionById(id, { ...options, signal })),
      })
    },
  )

  const many = {
    200: BatchResultSchema,
    ...ACCEPTED,
    ...problems([404, 'There is no such pool, or none of the protocol.'], [502, 'All rebuilds have failed; `result` has each.']),
  }
  app.post<{ Params: Static<typeof PoolParams>; Body: Static<typeof RebuildManyBody> | undefined }>(
    '/pools/:pool/rebuild',
    describeRoute('rebuilds', 'rebuildPool', 'Rebuild what is marked or due of a pool, or all of it', 'operator', many, {
      params: PoolParams,
      body: RebuildManyBody,
    }),
    (request, reply) => {
      const pool = poolOf(context, request.params.pool)
      const target = { kind: 'pool', name: pool.name } as const
      return answer(
        context,
        request,
        reply,
        batch(target, [pool], request.body ?? {}, (options) => pool.rebuildConnections(options)),
      )
    },
  )
  app.post<{ Params: Static<typeof ProtocolParams>; Body: Static<typeof RebuildManyBody> | undefined }>(
    '/protocols/:protocol/rebuild',
    describeRoute('rebuilds', 'rebuildProtocol', 'The same for all pools of a protocol', 'operator', many, {
      params: ProtocolParams,
      body: RebuildManyBody,
    }),
    (request, reply) => {
      const { protocol } = request.params
      const of = poolsOf(context, protocol)
      const target = { kind: 'protocol', name: protocol } as const
      return answer(
        context,
        request,
        reply,
        batch(target, of, request.body ?? {}, (options) => pools.rebuildConnectionsByProtocol(protocol, options)),
      )
    },
  )
  app.post<{ Body: Static<typeof RebuildManyBody> | undefined }>(
    '/rebuild',
    describeRoute('rebuilds', 'rebuildAll', 'The same for all pools', 'operator', many, { body: RebuildManyBody }),
    (request, reply) => {
      const all = [...pools].map(([, pool]) => pool)
      return answer(
        context,
        request,
        reply,
        batch({ kind: 'all' }, all, request.body ?? {}, (options) => pools.rebuildConnections(options)),
      )
    },
  )
}

function batch(
  target: RebuildTarget,
  pools: readonly Pool<unknown>[],
  options: Static<typeof RebuildManyBody>,
  run: (options: BatchRebuildOptions) => ReturnType<Pool<unknown>['rebuildConnections']>,
): Request {
  const connections = pools
    .flatMap((pool) => pool.connections())
    .filter(({ state, mark }) => state !== 'connecting' && state !== 'closing' && (options.all === true || mark !== undefined))
  return {
    target,
    details: options,
    connections: new Set(connections.map(({ id }) => id)),
    run: async (signal) => toBatchResult(await run({ ...options, signal })),
  }
}

/** Waits for the result, as long as the caller does; or makes a job of it, if that is preferred. */
async function answer(context: ApiContext, request: FastifyRequest, reply: FastifyReply, rebuild: Request): Promise<unknown> {
  const change = {
    action: 'rebuild',
    target: [rebuild.target.kind, rebuild.target.name].filter((part) => part !== undefined).join(' '),
    details: rebuild.details,
  }
  if (!prefersAsync(request)) {
    const controller = new AbortController()
    const hangUp = (): void => controller.abort(new Error('the caller has hung up'))
    request.raw.socket.once('close', hangUp)
    try {
      return await audited(context, request, change, () => rebuild.run(controller.signal), outcomeOf)
    } finally {
      request.raw.socket.off('close', hangUp)
    }
  }
  // Now, and not as a job that fails a moment later.
  checkTimeout(rebuild.details)
  const job = await audited(
    context,
    request,
    change,
    () => startJob(context, request, rebuild),
    () => 'accepted',
  )
  return reply
    .code(202)
    .header('location', `${request.url.replace(/\/(?:connections|pools|protocols|rebuild)(?:[/?].*)?$/, '')}/jobs/${job.id}`)
    .header('preference-applied', 'respond-async')
    .send(toJob(job))
}

/** @throws ConfigError when it is no duration */
function checkTimeout({ timeout }: Request['details']): void {
  if (typeof timeout !== 'string' || parseDuration(timeout) !== undefined) return
  throw new ConfigError([{ path: 'timeout', given: `'${timeout}'`, allowed: "a duration (ms, or text such as '30s')" }])
}

function startJob(context: ApiContext, request: FastifyRequest, { target, connections, run }: Request) {
  const job = context.jobs.start({
    target,
    connections,
    createdBy: identityOf(request).name,
    run,
    toFailure: toProblem,
    wasCancelled: (result) => 'cancelled' in result && result.cancelled,
    ended: ({ id, state, createdAt, endedAt = createdAt }) => {
      noteChange(
        context.audit,
        request,
        { action: 'rebuild', target: `job ${id}` },
        state === 'completed' ? 'done' : state,
        endedAt - createdAt,
      )
    },
  })
  if (job === undefined) throw new ApiProblem('TOO_MANY_JOBS', 'as many jobs as are allowed run already')
  return job
}

/** A rebuild that did not succeed is told by its result, and written down as what it was. */
function outcomeOf(result: RebuildAnswer): string {
  if ('success' in result) return result.success ? 'done' : 'failed'
  return result.cancelled ? 'cancelled' : 'done'
}

function prefersAsync({ headers }: FastifyRequest): boolean {
  const preferences = [headers.prefer ?? []].flat().join(',')
  return preferences.split(',').some((preference) => preference.trim().toLowerCase() === 'respond-async')
}
