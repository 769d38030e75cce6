import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { type ApiContext, identityOf } from '../context.ts'
import { describeRoute, problems } from '../schemas/common.ts'
import { AuditEntrySchema, AuditQuery, SessionSchema } from '../schemas/session.ts'

const OPENAPI = new URL('../../../openapi.json', import.meta.url)
const DEFAULT_LIMIT = 100

/** Who is asking, what was changed, and what can be asked. */
export function sessionRoutes(app: FastifyInstance, context: ApiContext): void {
  // Whoever has a token may ask these two.
  const session = { 200: SessionSchema, ...problems() }
  app.get('/session', describeRoute('session', 'getSession', 'Who is asking, and what they may do', 'any', session), (request) => {
    const { name, roles } = identityOf(request)
    return { name, roles, tokensNeeded: context.tokensNeeded }
  })
  const document = { 200: Type.Record(Type.String(), Type.Unknown()), ...problems() }
  app.get('/openapi.json', describeRoute('session', 'getOpenApi', 'This description', 'any', document), (_, reply) =>
    reply.type('application/json').send(readFileSync(OPENAPI)),
  )

  const audit = { 200: Type.Object({ entries: Type.Array(AuditEntrySchema, { description: 'The oldest first.' }) }), ...problems() }
  app.get<{ Querystring: Static<typeof AuditQuery> }>(
    '/audit',
    describeRoute('session', 'listChanges', 'The latest changes: who, what, when, with what result', 'operator', audit, {
      querystring: AuditQuery,
    }),
    ({ query: { limit = DEFAULT_LIMIT } }) => ({ entries: context.audit.entries(limit) }),
  )
}
