import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import type { EventFilter } from '../../observe/event-filter.ts'
import { EVENT_NAMES, eventJson } from '../../observe/pool-event.ts'
import { type ApiContext, identityOf, poolOf, poolsOf } from '../context.ts'
import { ApiProblem } from '../problem.ts'
import { describeRoute, JSON_TYPE, problems } from '../schemas/common.ts'
import { EventPage, EventQuery, StreamQuery } from '../schemas/events.ts'

const DEFAULT_LIMIT = 500
const EVERYTHING: EventFilter = { names: undefined, pool: undefined, protocol: undefined, connectionId: undefined }

/** What has happened, and what happens. */
export function eventRoutes(app: FastifyInstance, context: ApiContext): void {
  const page = { 200: EventPage, ...problems() }
  app.get<{ Querystring: Static<typeof EventQuery> }>(
    '/events',
    describeRoute('events', 'listEvents', 'What has happened', 'viewer', page, { querystring: EventQuery }),
    ({ query }, reply) => {
      const filter = toFilter(query, context)
      const events = context.history.find(filter, query.limit ?? DEFAULT_LIMIT, query.after)
      const [seq, lost] = [context.feed.seq, context.history.lost(filter)]
      return reply.type(JSON_TYPE).send(`{"events":[${events.map(eventJson).join(',')}],"seq":${seq},"lost":${lost}}`)
    },
  )

  const stream = {
    200: {
      description:
        'Server-sent events. `hello`: the stream has begun. `event`: an event, as in the list, with its `seq` as id. `samples`: a sample of each pool. `left-out`: events that were not sent because there were too many, counted by name.',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    },
    ...problems([503, 'Too many follow the events already.']),
  }
  app.get<{ Querystring: Static<typeof StreamQuery> }>(
    '/events/stream',
    {
      ...describeRoute('events', 'streamEvents', 'What happens, as it happens', 'viewer', stream, { querystring: StreamQuery }),
      // Who asks for the head alone would hold a place, and hear nothing.
      exposeHeadRoute: false,
    },
    (request, reply) => {
      const { query, headers } = request
      if (context.stream.isFull) throw new ApiProblem('TOO_MANY_CLIENTS', 'as many as are allowed follow the events already')
      const lastId = headers['last-event-id']
      const after = typeof lastId === 'string' && /^\d{1,15}$/.test(lastId) ? Number(lastId) : query.after
      const filter = toFilter(query, context)
      const identity = identityOf(request)
      reply.hijack()
      const response = reply.raw
      response.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      })
      // A stream may be silent for long, and its peer sends nothing.
      request.raw.socket.setTimeout(0)
      const isAllowed = (): boolean => context.stillValid(identity)
      const { seq, instance } = context.feed
      context.stream.add(response, { filter, samples: query.samples ?? false, after, isAllowed }, { seq, instance })
    },
  )
}

function toFilter({ names, pool, protocol, connectionId }: Static<typeof EventQuery>, context: ApiContext): EventFilter {
  const wanted = names?.split(',').map((name) => name.trim())
  const unknown = wanted?.find((name) => !(EVENT_NAMES as readonly string[]).includes(name))
  if (unknown !== undefined) {
    throw new ApiProblem('INVALID_REQUEST', `there is no event '${unknown}'`, {
      problems: [{ path: 'querystring.names', allowed: EVENT_NAMES.join(', ') }],
    })
  }
  // One that has been removed is asked for by those who look for what happened to it.
  const isKnown = (filter: Partial<EventFilter>): boolean => context.history.find({ ...EVERYTHING, ...filter }, 1).length > 0
  if (pool !== undefined && !isKnown({ pool })) poolOf(context, pool)
  if (protocol !== undefined && !isKnown({ protocol })) poolsOf(context, protocol)
  return { names: wanted === undefined ? undefined : new Set(wanted), pool, protocol, connectionId }
}
