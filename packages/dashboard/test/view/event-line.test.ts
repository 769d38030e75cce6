import { expect, it } from 'vitest'
import { eventLine } from '../../src/view/event-line.ts'
import { event } from '../support/records.ts'

const reason = { kind: 'slow_outlier', detail: 'check took 812 ms' }

it.each([
  [event(1, 'rebuildMarked', { reason, urgent: true }), 'urgent · slow_outlier: check took 812 ms'],
  [
    event(1, 'rebuildCompleted', { reason, durationMs: 312, oldGeneration: 1, newGeneration: 2 }),
    'slow_outlier: check took 812 ms · 1 → 2 · 312 ms',
  ],
  [event(1, 'healthStatusChanged', { from: 'healthy', to: 'degraded' }), 'healthy → degraded'],
  [event(1, 'healthCheckFailed', { error: { name: 'Error', message: 'time-out' }, failures: 2 }), 'time-out · × 2'],
  [event(1, 'connectionClosed', { reason: 'idle' }), 'idle'],
  [event(1, 'breakerOpened', { error: { message: 'ECONNREFUSED' }, retryInMs: 250 }), 'ECONNREFUSED · ↻ 250 ms'],
  [event(1, 'poolPaused'), ''],
])('puts what an event carries on one line', (each, line) => {
  expect(eventLine(each)).toBe(line)
})
