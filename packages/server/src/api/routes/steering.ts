import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { audited } from '../audited.ts'
import { type ApiContext, poolOf } from '../context.ts'
import { describeRoute, problems } from '../schemas/common.ts'
import { EvictBody, PauseBody } from '../schemas/configuration.ts'
import { PoolParams, PoolStatsSchema } from '../schemas/pools.ts'

type Params = Static<typeof PoolParams>

/** What can be done to a pool by hand, beside rebuilding. */
export function steeringRoutes(app: FastifyInstance, context: ApiContext): void {
  const stats = { 200: PoolStatsSchema, ...problems([404, 'There is no such pool.']) }

  app.post<{ Params: Params; Body: Static<typeof PauseBody> | undefined }>(
    '/pools/:pool/pause',
    describeRoute('pools', 'pausePool', 'Hand out no more connections', 'operator', stats, { params: PoolParams, body: PauseBody }),
    (request) => {
      const pool = poolOf(context, request.params.pool)
      const options = request.body ?? {}
      return audited(context, request, { action: 'pause', target: `pool ${pool.name}`, details: options }, () => {
        pool.pause(options)
        return pool.stats()
      })
    },
  )
  app.post<{ Params: Params }>(
    '/pools/:pool/resume',
    describeRoute('pools', 'resumePool', 'End a pause', 'operator', stats, { params: PoolParams }),
    (request) => {
      const pool = poolOf(context, request.params.pool)
      return audited(context, request, { action: 'resume', target: `pool ${pool.name}` }, () => {
        pool.resume()
        return pool.stats()
      })
    },
  )
  app.post<{ Params: Params; Body: Static<typeof EvictBody> | undefined }>(
    '/pools/:pool/evict',
    describeRoute('pools', 'evictPool', 'Close every present connection: idle ones now, those in use on release', 'operator', stats, {
      params: PoolParams,
      body: EvictBody,
    }),
    (request) => {
      const pool = poolOf(context, request.params.pool)
      const options = request.body ?? {}
      return audited(context, request, { action: 'evict', target: `pool ${pool.name}`, details: options }, async () => {
        await pool.evict(options)
        return pool.stats()
      })
    },
  )
}
