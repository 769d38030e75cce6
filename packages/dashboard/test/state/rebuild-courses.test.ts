import { describe, expect, it } from 'vitest'
import { RebuildCourses } from '../../src/state/rebuild-courses.ts'
import { connection, event } from '../support/records.ts'

const mark = { kind: 'slow_outlier', detail: '', urgent: false }
const reason = { kind: 'slow_outlier', detail: 'check took 812 ms, usual are 21 ms' }

function after(...events: ReturnType<typeof event>[]): RebuildCourses {
  const courses = new RebuildCourses()
  for (const each of events) courses.add(each)
  return courses
}

describe('the course of a rebuild', () => {
  it('has its reason, its steps and what came of it', () => {
    const courses = after(
      event(1, 'rebuildMarked', { reason, urgent: false }),
      event(2, 'rebuildStarted', { reason, urgent: false }),
      event(5, 'connectionClosed', { reason: 'rebuilt' }),
      event(6, 'rebuildCompleted', { reason, durationMs: 312, oldGeneration: 1, newGeneration: 2 }),
    )
    expect(courses.list()).toEqual([
      expect.objectContaining({
        ...reason,
        outcome: 'completed',
        markedAt: 100,
        startedAt: 200,
        endedAt: 600,
        durationMs: 312,
        newGeneration: 2,
        tries: 1,
      }),
    ])
    expect(courses.of('orders-1')).toBeUndefined()
  })

  it('goes on over a try that fails, with the same reason', () => {
    const error = { name: 'Error', message: 'connect ECONNREFUSED' }
    const courses = after(
      event(1, 'rebuildMarked', { reason }),
      event(2, 'rebuildStarted', { reason }),
      event(3, 'rebuildFailed', { reason, stage: 'connect', error }),
    )
    expect(courses.of('orders-1')).toMatchObject({ outcome: 'failed', stage: 'connect', error: 'connect ECONNREFUSED', tries: 1 })
    courses.add(event(4, 'rebuildStarted', { reason }))
    expect(courses.of('orders-1')).toMatchObject({ outcome: 'running', tries: 2, startedAt: 400 })
    expect(courses.list()).toHaveLength(1)
  })

  it('has had a try when one has failed, although nobody has told of its start', () => {
    const courses = after(
      event(1, 'rebuildMarked', { reason }),
      event(3, 'rebuildFailed', { reason, stage: 'connect', error: { message: 'refused' } }),
    )
    expect(courses.of('orders-1')).toMatchObject({ outcome: 'failed', tries: 1, startedAt: undefined })
  })

  it('does not end when a successor is closed that has not passed its check', () => {
    const courses = after(
      event(1, 'rebuildMarked', { reason }),
      event(2, 'rebuildStarted', { reason }),
      event(3, 'connectionClosed', { reason: 'rebuild_failed' }),
      event(4, 'rebuildFailed', { reason, stage: 'check', error: { message: 'no answer' } }),
    )
    expect(courses.list()).toEqual([expect.objectContaining({ outcome: 'failed', tries: 1, markedAt: 100 })])
  })

  it('becomes urgent when its mark does', () => {
    const courses = after(event(1, 'rebuildMarked', { reason, urgent: false }), event(2, 'rebuildMarked', { reason, urgent: true }))
    expect(courses.list()).toEqual([expect.objectContaining({ urgent: true, markedAt: 100 })])
  })

  it.each(['surplus', 'evicted', 'pool_closed'])('ends when its connection is closed as %s', (word) => {
    const courses = after(event(1, 'rebuildMarked', { reason }), event(2, 'connectionClosed', { reason: word }))
    expect(courses.list()).toEqual([expect.objectContaining({ outcome: 'closed', endedAt: 200 })])
    expect(courses.of('orders-1')).toBeUndefined()
  })

  it('ends when its connection is not there any more, whatever was missed', () => {
    const courses = after(event(1, 'rebuildMarked', { reason }), event(2, 'rebuildMarked', { reason }, { connectionId: 'orders-2' }))
    courses.reconcile((id) => (id === 'orders-2' ? connection(id, { mark }) : undefined), 900)
    expect(courses.list().map(({ connectionId, outcome }) => [connectionId, outcome])).toEqual([
      ['orders-2', 'marked'],
      ['orders-1', 'closed'],
    ])
  })

  describe('of which its connection knows nothing', () => {
    const marked = (): RebuildCourses => after(event(1, 'rebuildMarked', { reason }, { generation: 1 }))

    it('goes on after one look: that may be older than the event', () => {
      const courses = marked()
      courses.reconcile(() => connection('orders-1'), 800)
      courses.reconcile(() => connection('orders-1', { mark }), 900)
      courses.reconcile(() => connection('orders-1'), 1000)
      expect(courses.of('orders-1')).toMatchObject({ outcome: 'marked' })
    })

    it('was taken back', () => {
      const courses = marked()
      for (const now of [800, 900]) courses.reconcile(() => connection('orders-1'), now)
      expect(courses.of('orders-1')).toBeUndefined()
      expect(courses.list()).toEqual([expect.objectContaining({ outcome: 'dropped', endedAt: 900 })])
    })

    it('is completed when there is a newer client, although nobody has told of its end', () => {
      const courses = marked()
      for (const now of [800, 900]) courses.reconcile(() => connection('orders-1', { generation: 2, lastRebuiltAt: 750 }), now)
      expect(courses.list()).toEqual([expect.objectContaining({ outcome: 'completed', endedAt: 750, newGeneration: 2 })])
    })

    it('has failed when its last try has', () => {
      const courses = marked()
      courses.add(event(2, 'rebuildFailed', { reason, stage: 'connect', error: { message: 'refused' } }, { generation: 1 }))
      for (const now of [800, 900]) courses.reconcile(() => connection('orders-1'), now)
      expect(courses.of('orders-1')).toBeUndefined()
      expect(courses.list()).toEqual([expect.objectContaining({ outcome: 'failed', endedAt: 200 })])
    })

    it('goes on while its connection is being rebuilt', () => {
      const courses = marked()
      for (const now of [800, 900]) courses.reconcile(() => connection('orders-1', { state: 'rebuilding' }), now)
      expect(courses.of('orders-1')).toBeDefined()
    })
  })

  it('is known from its end alone, when its beginning was missed', () => {
    expect(after(event(9, 'rebuildCompleted', { reason, durationMs: 5, newGeneration: 2 })).list()).toEqual([
      expect.objectContaining({ outcome: 'completed', markedAt: undefined, kind: 'slow_outlier' }),
    ])
  })

  it('is forgotten after 400 others, unless it has not ended', () => {
    const courses = after(event(1, 'rebuildMarked', { reason }, { connectionId: 'orders-0' }))
    for (let seq = 2; seq < 600; seq++) courses.add(event(seq, 'rebuildCompleted', { reason }))
    expect(courses.list()).toHaveLength(400)
    expect(courses.of('orders-0')).toBeDefined()
  })
})
