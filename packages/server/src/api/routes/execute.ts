import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { audited } from '../audited.ts'
import { type ApiContext, poolOf } from '../context.ts'
import { describeRoute, problems } from '../schemas/common.ts'
import { ExecuteBody, ExecuteResult } from '../schemas/execute.ts'
import { PoolParams } from '../schemas/pools.ts'
import { requireAgent } from './configuration.ts'

/** Statements and commands are long; bodies of other routes are not. */
const BODY_LIMIT = 4 * 1024 * 1024

/** Runs something over a pooled connection. */
export function executeRoutes(app: FastifyInstance, context: ApiContext): void {
  const responses = {
    200: ExecuteResult,
    ...problems(
      [404, 'There is no such pool.'],
      [409, 'The pool is paused or closed, or this server has no file.'],
      [422, 'The peer has refused it; `detail` says why.'],
      [503, 'No connection was to be had.'],
      [504, 'The peer has not answered in time.'],
    ),
  }
  app.post<{ Params: Static<typeof PoolParams>; Body: Static<typeof ExecuteBody> | undefined }>(
    '/pools/:pool/execute',
    {
      ...describeRoute('execute', 'execute', 'Run a statement or a command over a connection of the pool', 'executor', responses, {
        params: PoolParams,
        body: ExecuteBody,
      }),
      bodyLimit: BODY_LIMIT,
    },
    async (request) => {
      const { name } = poolOf(context, request.params.pool)
      const body = request.body ?? {}
      const agent = requireAgent(context.agent)
      const controller = new AbortController()
      const hangUp = (): void => controller.abort(new Error('the caller has hung up'))
      request.raw.socket.once('close', hangUp)
      try {
        const change = { action: 'execute', target: `pool ${name}`, details: toDetails(body) }
        return await audited(context, request, change, () => agent.execute(name, body, controller.signal))
      } finally {
        request.raw.socket.off('close', hangUp)
      }
    },
  )
}

const SHOWN = 500

/** What is written down of it: what was run. Of parameters, which may be anybody's data, only how many there were. */
function toDetails({ statement, parameters, command }: Static<typeof ExecuteBody>): Record<string, unknown> {
  const [name, ...args] = [command ?? []].flat()
  return {
    ...(statement !== undefined && { statement: statement.slice(0, SHOWN) }),
    ...(parameters !== undefined && { parameters: parameters.length }),
    ...(name !== undefined && { command: name.slice(0, SHOWN), ...(Array.isArray(command) && { arguments: args.length }) }),
  }
}
