import { describe, expect, it } from 'vitest'
import type { Connection, Pool } from '../../src/api/contract.ts'
import { Clues } from '../../src/state/clues.ts'
import { type Diagnosis, diagnose } from '../../src/state/diagnosis.ts'
import { RebuildCourses } from '../../src/state/rebuild-courses.ts'
import { byId, connection, event, pool } from '../support/records.ts'

const slow = { kind: 'slow_outlier', detail: 'check took 812 ms' }

function diagnosisOf(pools: readonly Pool[], connections: readonly Connection[], ...events: ReturnType<typeof event>[]): Diagnosis {
  const [courses, clues] = [new RebuildCourses(), new Clues()]
  for (const each of events) {
    courses.add(each)
    clues.add(each)
  }
  return diagnose(pools, byId(...connections), courses, clues)
}

describe('of connections', () => {
  it('says that all is well, with the numbers', () => {
    expect(diagnosisOf([pool('orders')], [connection('orders-1'), connection('orders-2', { state: 'acquired' })])).toEqual({
      troubles: [],
      ill: [],
      renewing: 0,
      connections: 2,
      idle: 1,
      inUse: 1,
      waiting: 0,
      level: 'well',
    })
  })

  it('says why one is ill, and that its successor is on its way while it serves', () => {
    const ill = connection('orders-1', { health: 'degraded', mark: { ...slow, urgent: false } })
    const { ill: found, level } = diagnosisOf(
      [pool('orders')],
      [ill],
      event(1, 'rebuildMarked', { reason: slow }),
      event(3, 'rebuildStarted', { reason: slow }),
    )
    expect(found).toEqual([
      {
        connection: ill,
        severity: 'poor',
        reason: { ...slow, urgent: false },
        doing: { kind: 'rebuilding', outOfService: false, since: 300 },
      },
    ])
    expect(level).toBe('poor')
  })

  it('says that one is out of service, and for how long', () => {
    const reason = { kind: 'connection_lost', detail: 'ECONNRESET' }
    const ill = connection('orders-1', { health: 'unhealthy', state: 'rebuilding', mark: { ...reason, urgent: true } })
    const { ill: found, level } = diagnosisOf([pool('orders')], [ill], event(2, 'rebuildStarted', { reason, urgent: true }))
    expect(found).toEqual([expect.objectContaining({ severity: 'bad', doing: { kind: 'rebuilding', outOfService: true, since: 200 } })])
    expect(level).toBe('bad')
  })

  it('says that a try has failed', () => {
    const ill = connection('orders-1', { health: 'degraded', mark: { ...slow, urgent: false } })
    const failed = event(4, 'rebuildFailed', { reason: slow, stage: 'connect', error: { message: 'ECONNREFUSED' } })
    const { ill: found } = diagnosisOf(
      [pool('orders')],
      [ill],
      event(1, 'rebuildMarked', { reason: slow }),
      event(2, 'rebuildStarted', { reason: slow }),
      failed,
    )
    expect(found[0]?.doing).toEqual({ kind: 'trying-again', tries: 1, error: 'ECONNREFUSED' })
  })

  it('tells the error of the failed check where no mark has a reason', () => {
    const failed = event(1, 'healthCheckFailed', { error: { message: 'time-out after 5000 ms' }, failures: 1 })
    const { ill } = diagnosisOf([pool('orders')], [connection('orders-1', { health: 'degraded' })], failed)
    expect(ill).toEqual([
      expect.objectContaining({ reason: { kind: 'check_failed', detail: 'time-out after 5000 ms' }, doing: { kind: 'checking-again' } }),
    ])
  })

  it('tells how long the last check took of one that is slow', () => {
    const { ill } = diagnosisOf([pool('orders')], [connection('orders-1', { health: 'degraded', lastCheckMs: 1416 })])
    expect(ill).toEqual([expect.objectContaining({ reason: { kind: 'slow_check', detail: '1.42 s' }, doing: { kind: 'watching' } })])
  })

  it('does not call one ill that is renewed as a matter of course', () => {
    const old = { kind: 'max_lifetime', detail: '30 min old', urgent: false }
    const { ill, renewing, level } = diagnosisOf(
      [pool('orders')],
      [
        connection('orders-1', { mark: old }),
        connection('orders-2', { state: 'rebuilding', mark: { kind: 'manual', detail: '', urgent: true } }),
      ],
    )
    expect([ill, renewing, level]).toEqual([[], 2, 'well'])
  })

  it('puts the worst first', () => {
    const { ill } = diagnosisOf(
      [pool('orders')],
      [
        connection('orders-1', { health: 'degraded' }),
        connection('orders-2', { health: 'unhealthy' }),
        connection('orders-3', { health: 'degraded', mark: { kind: 'reset_failed', detail: '', urgent: true } }),
      ],
    )
    expect(ill.map(({ connection: { id } }) => id)).toEqual(['orders-2', 'orders-3', 'orders-1'])
  })

  it('tells of one that is held for long, while it is held', () => {
    const leak = event(5, 'leakSuspected', { heldMs: 60_000 })
    const of = (state: 'acquired' | 'idle') => diagnosisOf([pool('orders')], [connection('orders-1', { state })], leak).troubles
    expect(of('acquired')).toEqual([{ kind: 'leak', pool: 'orders', connectionId: 'orders-1', since: -59_500 }])
    expect(of('idle')).toEqual([])
  })
})

describe('of pools', () => {
  const opened = event(1, 'breakerOpened', { error: { message: 'connect ECONNREFUSED' }, retryInMs: 250 }, { connectionId: 'orders-9' })

  it.each<[string, Pool, ReturnType<typeof event>[], object[], Diagnosis['level']]>([
    [
      'one that no connect succeeds for is down',
      pool('orders', { breaker: 'open', total: 0, idle: 0, waiting: 12 }, { canServe: false }),
      [opened],
      [{ kind: 'down', pool: 'orders', waiting: 12, error: 'connect ECONNREFUSED', nextTryAt: 350 }],
      'bad',
    ],
    [
      'one whose connections serve on is not down',
      pool('orders', { breaker: 'half-open' }),
      [opened],
      [{ kind: 'connecting-fails', pool: 'orders', error: 'connect ECONNREFUSED', nextTryAt: 350 }],
      'poor',
    ],
    [
      'one that is paused',
      pool('orders', { state: 'paused', waiting: 3 }, { canServe: false }),
      [],
      [{ kind: 'paused', pool: 'orders', waiting: 3 }],
      'poor',
    ],
    [
      'one in a panic',
      pool('orders', { panic: true, health: { unknown: 0, healthy: 1, degraded: 2, unhealthy: 1 }, total: 4 }),
      [],
      [{ kind: 'panic', pool: 'orders', unwell: 3, total: 4 }],
      'bad',
    ],
    [
      'one with all in use and somebody waiting',
      pool('orders', { acquired: 10, total: 10, idle: 0, waiting: 4 }),
      [],
      [{ kind: 'saturated', pool: 'orders', waiting: 4, inUse: 10, max: 10 }],
      'poor',
    ],
    ['one that only waits for its next connect', pool('orders', { acquired: 2, idle: 0, waiting: 1 }), [], [], 'well'],
    ['one that is draining', pool('orders', { state: 'draining' }), [], [{ kind: 'ending', pool: 'orders', state: 'draining' }], 'poor'],
  ])('%s', (_, each, events, troubles, level) => {
    const diagnosis = diagnosisOf([each], [], ...events)
    expect(diagnosis.troubles).toEqual(troubles)
    expect(diagnosis.level).toBe(level)
  })
})
