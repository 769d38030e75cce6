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
