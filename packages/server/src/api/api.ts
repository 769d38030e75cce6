import './fastify-types.ts'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { Authenticator } from '../security/authenticator.ts'
import { SECURITY_HEADERS } from '../security/headers.ts'
import { may } from '../security/roles.ts'
import { noteChange } from './audited.ts'
import type { ApiContext } from './context.ts'
import { ApiProblem, answerProblem } from './problem.ts'
import { configurationRoutes } from './routes/configuration.ts'
import { connectionRoutes } from './routes/connections.ts'
import { eventRoutes } from './routes/events.ts'
import { executeRoutes } from './routes/execute.ts'
import { jobRoutes } from './routes/jobs.ts'
import { poolRoutes } from './routes/pools.ts'
import { rebuildRoutes } from './routes/rebuilds.ts'
import { sessionRoutes } from './routes/session.ts'
import { steeringRoutes } from './routes/steering.ts'
import { compileValidator } from './validation.ts'

const ROUTES = [
  sessionRoutes,
  poolRoutes,
  connectionRoutes,
  eventRoutes,
  rebuildRoutes,
  jobRoutes,
  steeringRoutes,
  configurationRoutes,
  executeRoutes,
] as const

/** Longer bodies are refused, unless a route says otherwise. */
export const BODY_LIMIT = 64 * 1024

/** A client that takes nothing of an answer for so long, or twice as long, is hung up on. ms */
const SEND_LIMIT = 10_000

/** What all that the server serves has in common: headers, problems as errors, and no patience with who does not read. */
export function prepare(app: FastifyInstance): void {
  let ending = false
  app.addHook('preClose', (done) => {
    ending = true
    done()
  })
  app.addHook('onRequest', ({ raw }, reply, done) => {
    reply.headers(SECURITY_HEADERS)
    done(ending ? new ApiProblem('SERVER_ENDING', 'nothing new is begun') : wireRefusal(raw))
  })
  app.addHook('onSend', ({ raw }, _, payload, done) => {
    // Node sets it anew with the next request.
    raw.socket.setTimeout(SEND_LIMIT)
    done(null, payload)
  })
  app.setErrorHandler(answerProblem)
  answerNothing(app)
}

/** What stands before this server may have read another host, or another body, than Node does. */
function wireRefusal({ headers, headersDistinct, url }: IncomingMessage): ApiProblem | undefined {
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return new ApiProblem('INVALID_REQUEST', 'of the transfer codings only chunked is understood')
  if (headersDistinct.host?.length !== 1) return new ApiProblem('INVALID_REQUEST', 'there has to be one header Host')
  if (url?.startsWith('/') === true) return undefined
  return new ApiProblem('INVALID_REQUEST', 'the host has to stand in the header Host, and not in the address')
}

/** Answers what there is no route for. */
function answerNothing(app: FastifyInstance): void {
  app.setNotFoundHandler((request) => {
    throw new ApiProblem('NOT_FOUND', `${request.method} ${request.url.split('?')[0]} is nothing here`)
  })
}

/** Lets nobody further who is not known, or may not do what they ask for. */
export function protect(app: FastifyInstance, context: Pick<ApiContext, 'audit'>, authenticator: Authenticator): void {
  app.decorateRequest('identity', null)
  app.addHook('onRequest', async (request, reply) => {
    request.identity = await authenticator.authenticate(request)
    reply.header('cache-control', 'no-store')
    const { access } = request.routeOptions.config
    if (access === undefined || access === 'any' || may(request.identity, access)) return
    if (request.method !== 'GET') {
      noteChange(context.audit, request, { action: 'refused', target: `${request.method} ${request.url.split('?')[0]}` }, 'FORBIDDEN', 0)
    }
    throw new ApiProblem('FORBIDDEN', `this needs the role ${access}; ${request.identity.name} has ${request.identity.roles.join(', ')}`)
  })
}

/** The routes of the API, without their prefix. */
export function api(context: ApiContext, authenticator: Authenticator): FastifyPluginAsync {
  return async (app) => {
    // Only JSON: a form or a text is what a page of another site can send without being asked whether it may.
    app.removeContentTypeParser('text/plain')
    app.setValidatorCompiler(compileValidator)
    protect(app, context, authenticator)
    // Under its prefix, too, nobody who is not known is told what there is.
    answerNothing(app)
    for (const routes of ROUTES) routes(app, context)
  }
}
