import { describe, expect, test } from 'vitest'
import { Connection } from '../../src/engine/connection.ts'
import type { Health } from '../../src/engine/connection-state.ts'
import { IdleStore } from '../../src/engine/idle-store.ts'

const make = (id: string, health: Health = 'healthy'): Connection<object> => {
  const connection = new Connection<object>(id, 1, 0)
  connection.health = health
  return connection
}

const ids = (store: IdleStore<object>): string[] => [...store].map(({ id }) => id)

describe('the order', () => {
  test.each([
    ['lifo', ['c', 'b', 'a']],
    ['fifo', ['a', 'b', 'c']],
  ] as const)('%s', (order, expected) => {
    const store = new IdleStore<object>(order)
    for (const id of ['a', 'b', 'c']) store.add(make(id))
    expect([ids(store), store.size, store.head?.id]).toEqual([expected, 3, expected[0]])
  })

  test('can be changed: what is added from then on follows it', () => {
    const store = new IdleStore<object>('fifo')
    for (const id of ['a', 'b']) store.add(make(id))
    store.setOrder('lifo')
    store.add(make('c'))
    expect(ids(store)).toEqual(['c', 'a', 'b'])
  })

  test.each(['lifo', 'fifo'] as const)('has the healthy and unknown before the degraded and unhealthy: %s', (order) => {
    const store = new IdleStore<object>(order)
    store.add(make('degraded', 'degraded'))
    store.add(make('healthy'))
    store.add(make('unhealthy', 'unhealthy'))
    store.add(make('unknown', 'unknown'))
    expect(new Set(ids(store).slice(0, 2))).toEqual(new Set(['healthy', 'unknown']))
  })
})

test('a connection is in it once, however often it is added', () => {
  const store = new IdleStore<object>('lifo')
  const [one, two] = [make('one'), make('two')]
  store.add(one)
  store.add(two)
  store.add(one)
  expect(ids(store)).toEqual(['two', 'one'])
})

test('removing what is not in it does nothing', () => {
  const store = new IdleStore<object>('lifo')
  const [one, two] = [make('one'), make('two', 'degraded')]
  store.remove(one)
  store.add(one)
  store.add(two)
  store.remove(two)
  store.remove(two)
  expect([ids(store), store.size]).toEqual([['one'], 1])
  store.remove(one)
  expect([ids(store), store.size, store.head]).toEqual([[], 0, undefined])
})

test('a connection whose health has changed is filed anew, and one that is not in it stays out', () => {
  const store = new IdleStore<object>('lifo')
  const [one, two, out] = [make('one'), make('two'), make('out')]
  store.add(one)
  store.add(two)
  two.health = 'degraded'
  store.refile(two)
  store.refile(out)
  expect(ids(store)).toEqual(['one', 'two'])
  two.health = 'healthy'
  store.refile(two)
  expect(ids(store)).toEqual(['two', 'one'])
})

test('members may be removed while one goes through it', () => {
  const store = new IdleStore<object>('fifo')
  const all = ['a', 'b', 'c', 'd'].map((id) => make(id))
  for (const connection of all) store.add(connection)
  const seen: string[] = []
  for (const connection of store) {
    seen.push(connection.id)
    store.remove(connection)
  }
  expect([seen, store.size]).toEqual([['a', 'b', 'c', 'd'], 0])
})
