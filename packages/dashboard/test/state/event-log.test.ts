import { describe, expect, it } from 'vitest'
import { type EventFilter, EventLog } from '../../src/state/event-log.ts'
import { event } from '../support/records.ts'

const ALL: EventFilter = { level: 'debug', name: undefined, pool: undefined, text: '' }

function filled(): EventLog {
  const log = new EventLog()
  log.reset([], 0)
  log.add(event(1, 'connectionCreated', {}, { level: 'debug' }))
  log.add(event(2, 'healthCheckFailed', { error: { message: 'Time-out after 5000 ms' } }, { level: 'warn' }))
  log.add(event(3, 'breakerOpened', {}, { level: 'error', pool: 'billing' }))
  return log
}

describe('the log of events', () => {
  it.each<[string, Partial<EventFilter>, number[]]>([
    ['everything, the latest first', {}, [3, 2, 1]],
    ['a level and those above it', { level: 'warn' }, [3, 2]],
    ['a name', { name: 'connectionCreated' }, [1]],
    ['a pool', { pool: 'billing' }, [3]],
    ['a text anywhere in it, in any case', { text: ' time-OUT ' }, [2]],
    ['all of that at once', { level: 'warn', text: 'nowhere' }, []],
  ])('finds %s', (_, filter, found) => {
    expect(
      filled()
        .find({ ...ALL, ...filter }, 10)
        .map(({ seq }) => seq),
    ).toEqual(found)
  })

  it('takes each event once', () => {
    const log = filled()
    expect([log.add(event(3, 'poolPaused')), log.add(event(4, 'poolPaused'))]).toEqual([false, true])
    expect(log.lastSeq).toBe(4)
  })

  it('counts what was left out by name, and what had to make room', () => {
    const log = filled()
    log.addLeftOut({ rebuildMarked: 5 })
    log.addLeftOut({ rebuildMarked: 2, connectionClosed: 1 })
    expect([...log.leftOut]).toEqual([
      ['rebuildMarked', 7],
      ['connectionClosed', 1],
    ])
    for (let seq = 4; seq <= 10_000; seq++) log.add(event(seq, 'rebuildMarked'))
    expect(log.dropped + log.events.length).toBe(10_000)
    expect(log.events.length).toBeLessThan(4000)
  })

  it('counts by their numbers those of before, and those that were told while the stream was away', () => {
    const log = filled()
    expect(log.others).toBe(0)
    log.reset([event(8_999, 'poolPaused'), event(9_000, 'poolResumed')], 9_000)
    expect(log.others).toBe(8_998)
    log.add(event(9_001, 'poolPaused'))
    expect(log.others).toBe(8_998)
    log.add(event(14_001, 'poolResumed'))
    expect(log.others).toBe(8_998 + 4_999)
  })

  it('counts none twice: not what was left out, and not what had to make room', () => {
    const log = filled()
    log.addLeftOut({ rebuildMarked: 4_000 })
    log.add(event(5_003, 'poolPaused'))
    expect(log.others).toBe(999)
    for (let seq = 5_004; seq <= 10_000; seq++) log.add(event(seq, 'rebuildMarked'))
    expect([log.dropped > 0, log.others]).toEqual([true, 999])
  })

  it('begins anew with an agent that counts anew', () => {
    const log = filled()
    log.addLeftOut({ rebuildMarked: 5 })
    log.reset([event(1, 'poolWarmedUp')], 1)
    expect([log.events.length, log.lastSeq, log.others, log.leftOut.size]).toEqual([1, 1, 0, 0])
    expect(log.add(event(2, 'poolPaused'))).toBe(true)
  })
})
