import { effect } from '@preact/signals'
import { describe, expect, it } from 'vitest'
import { ConnectionTable } from '../../src/state/connection-table.ts'
import { connection } from '../support/records.ts'

/** A table whose frames come when the test says so. */
function tableOf() {
  const frames: (() => void)[] = []
  const table = new ConnectionTable((callback) => frames.push(callback))
  return { table, frames, frame: () => frames.shift()?.() }
}

describe('the table of connections', () => {
  it('tells the cell of a connection that has changed, and no other', () => {
    const { table, frame } = tableOf()
    table.set([connection('orders-1'), connection('orders-2')])
    const drawn: string[] = []
    for (const id of ['orders-1', 'orders-2']) effect(() => void drawn.push(`${id} ${table.look(id).value.state}`))
    drawn.length = 0
    table.set([connection('orders-1', { state: 'acquired' }), connection('orders-2', { uses: 7 })])
    frame()
    expect(drawn).toEqual(['orders-1 acquired'])
  })

  it('draws a thousand changes over several frames, and of each connection the latest', () => {
    const { table, frames, frame } = tableOf()
    const all = (state: 'idle' | 'acquired') => Array.from({ length: 1000 }, (_, n) => connection(`orders-${n}`, { state }))
    table.set(all('idle'))
    table.set(all('acquired'))
    table.set([connection('orders-0', { state: 'checking' }), ...all('acquired').slice(1)])
    let count = 0
    while (frames.length > 0) {
      frame()
      count++
    }
    expect(count).toBeGreaterThan(3)
    expect(table.look('orders-0').value.state).toBe('checking')
    expect(table.look('orders-999').value.state).toBe('acquired')
  })

  it('changes the list of ids when connections come or go, and not otherwise', () => {
    const { table } = tableOf()
    table.set([connection('orders-1'), connection('billing-1')])
    const ids = table.idsByPool.value
    table.set([connection('orders-1', { state: 'acquired' }), connection('billing-1')])
    expect(table.idsByPool.value).toBe(ids)
    table.set([connection('orders-1'), connection('orders-2')])
    expect([...table.idsByPool.value]).toEqual([['orders', ['orders-1', 'orders-2']]])
  })

  it('takes back a change that was undone before it was drawn', () => {
    const { table, frame } = tableOf()
    table.set([connection('orders-1')])
    table.set([connection('orders-1', { state: 'acquired' })])
    table.set([connection('orders-1')])
    frame()
    expect(table.look('orders-1').value.state).toBe('idle')
  })
})
