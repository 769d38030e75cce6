import { describe, expect, it } from 'vitest'
import { Model } from '../../src/state/model.ts'
import { connection, event, pool } from '../support/records.ts'

const modelOf = (): Model => new Model((frame) => frame())
const reason = { kind: 'manual', detail: 'asked for by hand' }

describe('the rebuilds of the model', () => {
  it('end when their connections know nothing of them, and are shown anew', () => {
    const model = modelOf()
    model.setStreaming(true, undefined)
    model.addEvent(event(1, 'rebuildMarked', { reason }))
    model.setPresent([pool('orders')], [connection('orders-1')])
    expect(model.courses.of('orders-1')).toBeDefined()
    const before = model.eventsChanged.value
    model.setPresent([pool('orders')], [connection('orders-1')])
    expect(model.courses.list()).toEqual([expect.objectContaining({ outcome: 'dropped' })])
    expect(model.eventsChanged.value).toBe(before + 1)
  })

  it('go on while events are not followed: what has become of them may still be told', () => {
    const model = modelOf()
    model.addEvent(event(1, 'rebuildMarked', { reason }))
    for (let answers = 0; answers < 3; answers++) model.setPresent([pool('orders')], [connection('orders-1')])
    expect(model.courses.of('orders-1')).toBeDefined()
  })
})

describe('what explains how connections are', () => {
  const held = event(5, 'leakSuspected', { heldMs: 60_000 })
  const acquired = [connection('orders-1', { state: 'acquired' })]

  it('is not said of a lease that was given back, when its connection is used again', () => {
    const model = modelOf()
    model.addEvent(held)
    model.setPresent([pool('orders')], acquired)
    expect(model.diagnosis.value?.troubles).toEqual([expect.objectContaining({ kind: 'leak' })])
    model.setPresent([pool('orders')], [connection('orders-1')])
    model.setPresent([pool('orders')], acquired)
    expect(model.diagnosis.value?.troubles).toEqual([])
  })

  it('is not said of those of another agent, whose connections have the same ids', () => {
    const model = modelOf()
    const ill = connection('orders-2', { health: 'degraded' })
    model.addEvent(held)
    model.addEvent(event(6, 'healthCheckFailed', { error: { message: 'no answer' } }, { connectionId: 'orders-2' }))
    model.setPresent([pool('orders')], [...acquired, ill])
    expect(model.diagnosis.value?.ill).toEqual([expect.objectContaining({ reason: { kind: 'check_failed', detail: 'no answer' } })])
    model.forgetHistory()
    model.setPresent([pool('orders')], [...acquired, ill])
    expect(model.diagnosis.value?.troubles).toEqual([])
    expect(model.diagnosis.value?.ill).toEqual([expect.objectContaining({ reason: undefined })])
  })
})

describe('the list of events', () => {
  const heldOf = (model: Model): readonly number[] | undefined => model.eventList.held.value?.events.map(({ seq }) => seq)

  it('stays as it is held, until it is let go', () => {
    const model = modelOf()
    model.addEvent(event(1, 'poolPaused'))
    model.eventList.toggleHold()
    model.addEvent(event(2, 'poolResumed'))
    expect([heldOf(model), model.eventList.newer]).toEqual([[1], 1])
    model.eventList.toggleHold()
    expect(model.eventList.held.value).toBeUndefined()
    model.eventList.toggleHold()
    expect(heldOf(model)).toEqual([2, 1])
    model.eventList.choose({ pool: 'billing' })
    expect([model.eventList.held.value, model.eventList.filter.value.pool]).toEqual([undefined, 'billing'])
  })

  it('is let go when another agent counts anew, and still has its filter', () => {
    const model = modelOf()
    model.eventList.choose({ text: 'orders' })
    model.addEvent(event(500, 'poolPaused'))
    model.eventList.toggleHold()
    model.forgetHistory()
    expect([model.eventList.held.value, model.eventList.filter.value.text]).toEqual([undefined, 'orders'])
  })

  it('is not for who logs in next', () => {
    const model = modelOf()
    const before = model.eventList.filter.value
    model.addEvent(event(1, 'poolPaused'))
    model.eventList.choose({ level: 'error', text: 'secret', pool: 'billing' })
    model.eventList.toggleHold()
    model.clear()
    expect([model.eventList.held.value, model.eventList.filter.value]).toEqual([undefined, before])
  })
})

it('begins anew with what an agent remembers, and keeps what was told since it was asked', () => {
  const model = modelOf()
  model.addEvent(event(500, 'poolPaused'))
  model.forgetHistory()
  model.addEvent(event(3, 'rebuildMarked', { reason }))
  model.addEvent(event(4, 'rebuildStarted', { reason }))
  model.setHistory({ events: [event(1, 'poolWarmedUp'), event(3, 'rebuildMarked', { reason })], seq: 3, lost: 0 })
  expect(model.events.events.map(({ seq }) => seq)).toEqual([1, 3, 4])
  expect(model.courses.of('orders-1')).toMatchObject({ outcome: 'running', markedAt: 300, startedAt: 400 })
  model.addEvent(event(4, 'rebuildStarted', { reason }))
  model.addEvent(event(5, 'poolPaused'))
  expect(model.events.events.map(({ seq }) => seq)).toEqual([1, 3, 4, 5])
})
