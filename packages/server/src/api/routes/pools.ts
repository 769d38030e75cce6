import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { DEFAULT_OPTIONS, type Pool } from 'wellpool'
import { TimelineTexts } from '../../observe/timeline-texts.ts'
import { type ApiContext, canServe, poolOf } from '../context.ts'
import { describeRoute, JSON_TYPE, problems } from '../schemas/common.ts'
import { PoolParams, PoolSchema } from '../schemas/pools.ts'
import { SampleSchema, TimelineQuery } from '../schemas/timeline.ts'

const NO_POOL: [status: number, description: string] = [404, 'There is no such pool.']

/** What pools there are, and how they are. */
export function poolRoutes(app: FastifyInstance, context: ApiContext): void {
  const list = { 200: Type.Object({ pools: Type.Array(PoolSchema) }), ...problems() }
  app.get('/pools', describeRoute('pools', 'listPools', 'All pools in numbers', 'viewer', list), () => ({
    pools: [...context.pools].map(([, pool]) => describe(pool)),
  }))

  const one = { 200: PoolSchema, ...problems(NO_POOL) }
  app.get<{ Params: Static<typeof PoolParams> }>(
    '/pools/:pool',
    describeRoute('pools', 'getPool', 'A pool in numbers', 'any', one, { params: PoolParams }),
    ({ params }) => describe(poolOf(context, params.pool)),
  )

  const timelines = new TimelineTexts(context.timeline)
  const timeline = {
    200: Type.Object({ samples: Type.Array(SampleSchema, { description: 'One a second, the oldest first.' }) }),
    ...problems(NO_POOL),
  }
  app.get<{ Params: Static<typeof PoolParams>; Querystring: Static<typeof TimelineQuery> }>(
    '/pools/:pool/timeline',
    describeRoute('pools', 'getTimeline', 'How a pool was, second by second', 'viewer', timeline, {
      params: PoolParams,
      querystring: TimelineQuery,
    }),
    ({ params, query: { seconds } }, reply) => {
      const { name } = poolOf(context, params.pool)
      return reply.type(JSON_TYPE).send(timelines.get(name, seconds))
    },
  )
}

function describe(pool: Pool<unknown>): Static<typeof PoolSchema> {
  const { maxConnections = DEFAULT_OPTIONS.maxConnections, minConnections = Math.min(2, maxConnections) } = pool.options
  return { name: pool.name, protocol: pool.protocol, canServe: canServe(pool), minConnections, maxConnections, stats: pool.stats() }
}
