import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { ConnectionNotFoundError, type ConnectionRecord } from 'wellpool'
import type { ApiContext } from '../context.ts'
import { poolOf, poolsOf } from '../context.ts'
import { describeRoute, problems } from '../schemas/common.ts'
import { ConnectionParams, ConnectionQuery, ConnectionSchema, toConnection } from '../schemas/connections.ts'

/** Each connection: what it does, how it is, and what has been decided. */
export function connectionRoutes(app: FastifyInstance, context: ApiContext): void {
  const list = {
    200: Type.Object({ connections: Type.Array(ConnectionSchema) }),
    ...problems([404, 'There is no such pool, or none of the protocol.']),
  }
  app.get<{ Querystring: Static<typeof ConnectionQuery> }>(
    '/connections',
    describeRoute('connections', 'listConnections', 'Connections, all or some', 'viewer', list, { querystring: ConnectionQuery }),
    ({ query: { pool, protocol, state, health, marked } }) => {
      const now = Date.now()
      const pools = pool === undefined ? [...context.pools].map(([, each]) => each) : [poolOf(context, pool)]
      // Refuses one that no pool has: a misspelt one would read as nothing.
      if (protocol !== undefined) poolsOf(context, protocol)
      const isWanted = (record: ConnectionRecord): boolean =>
        (state === undefined || record.state === state) &&
        (health === undefined || record.health === health) &&
        (marked === undefined || (record.mark !== undefined) === marked)
      return {
        connections: pools
          .filter((each) => protocol === undefined || each.protocol === protocol)
          .flatMap((each) => each.connections())
          .filter(isWanted)
          .map((record) => toConnection(record, now)),
      }
    },
  )

  const one = { 200: ConnectionSchema, ...problems([404, 'There is no such connection, or none any more.']) }
  app.get<{ Params: Static<typeof ConnectionParams> }>(
    '/connections/:id',
    describeRoute('connections', 'getConnection', 'One connection', 'viewer', one, { params: ConnectionParams }),
    ({ params: { id } }) => toConnection(findConnection(context, id), Date.now()),
  )
}

/** The record of a connection. @throws CONNECTION_NOT_FOUND */
export function findConnection({ pools }: Pick<ApiContext, 'pools'>, id: string): ConnectionRecord {
  for (const [, pool] of pools) {
    const found = pool.connections().find((record) => record.id === id)
    if (found !== undefined) return found
  }
  throw new ConnectionNotFoundError(`no pool has a connection ${id}`)
}
