import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import Type from 'typebox'
import type { Pools } from 'wellpool'
import { canServe } from './context.ts'
import { describeRoute, problems } from './schemas/common.ts'

const HealthSchema = Type.Object({ status: Type.String() })
const ReadySchema = Type.Object({ status: Type.String(), pools: Type.Integer(), canServe: Type.Integer() })

/** For probes: whether the process lives, and whether its pools can serve. They tell nothing that needs a token. */
export function healthRoutes(app: FastifyInstance, pools: Pools): void {
  const health = {
    tags: ['health'],
    operationId: 'getHealth',
    summary: 'Whether the process answers',
    security: [],
    response: { 200: HealthSchema },
  }
  app.get('/healthz', { schema: health }, () => ({ status: 'ok' }))

  const ready = {
    tags: ['health'],
    operationId: 'getReadiness',
    summary: 'Whether all pools can serve',
    security: [],
    response: { 200: ReadySchema, 503: ReadySchema },
  }
  app.get('/readyz', { schema: ready }, (_, reply) => {
    const all = [...pools].map(([, pool]) => canServe(pool))
    const able = all.filter(Boolean).length
    return reply
      .code(able === all.length ? 200 : 503)
      .send({ status: able === all.length ? 'ready' : 'not ready', pools: all.length, canServe: able })
  })
}

/** The page for Prometheus. */
export function metricsRoute(app: FastifyInstance, registry: Registry): void {
  const page = {
    200: { description: 'Metrics as Prometheus reads them.', content: { 'text/plain': { schema: { type: 'string' } } } },
    ...problems(),
  }
  app.get('/metrics', describeRoute('health', 'getMetrics', 'The page for Prometheus', 'viewer', page), async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
}
