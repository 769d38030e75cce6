import Type from 'typebox'
import { EVENT_NAMES } from '../../observe/pool-event.ts'
import { closed, count, time, words } from './common.ts'

export const EventSchema = Type.Object({
  seq: Type.Integer({ minimum: 1, description: 'Counts the events of the process.' }),
  name: words(EVENT_NAMES),
  level: words(['debug', 'info', 'warn', 'error']),
  timestamp: time('When it happened'),
  pool: Type.String(),
  protocol: Type.String(),
  connectionId: Type.Optional(Type.String()),
  generation: Type.Optional(Type.Integer()),
  details: Type.Record(Type.String(), Type.Unknown(), {
    description: 'What the event carries beside that, by the names in docs/monitoring.md; errors as name, message and code.',
  }),
})

const filters = {
  names: Type.Optional(Type.String({ maxLength: 1000, description: 'Only these events: names, separated by commas.' })),
  pool: Type.Optional(Type.String()),
  protocol: Type.Optional(Type.String()),
  connectionId: Type.Optional(Type.String()),
}

export const EventQuery = closed({
  ...filters,
  after: Type.Optional(count('Only events with a larger `seq`.')),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5000, description: 'At most so many, the latest. Default 500.' })),
})

export const EventPage = Type.Object({
  events: Type.Array(EventSchema, { description: 'The oldest first.' }),
  seq: count('The number of the latest event of all.'),
  lost: count('Events of these kinds that are no longer remembered.'),
})

export const StreamQuery = closed({
  ...filters,
  after: Type.Optional(
    count('Begins with the events that came after this one, as far as they are remembered. The header Last-Event-ID does the same.'),
  ),
  samples: Type.Optional(Type.Boolean({ description: 'Whether to send a sample of each pool every second. Default false.' })),
})
