import { expect, it } from 'vitest'
import type { Connection } from '../../src/api/contract.ts'
import { type Action, previewOf } from '../../src/state/preview.ts'
import { DICTIONARIES } from '../../src/text/index.ts'
import { consequencesOf } from '../../src/view/consequences.ts'
import { byId, connection, pool } from '../support/records.ts'

const slow = { kind: 'slow_outlier', detail: '', urgent: false }
const orders: readonly Connection[] = Array.from({ length: 10 }, (_, n) =>
  connection(`orders-${n}`, { state: n < 7 ? 'acquired' : 'idle', ...(n === 8 && { mark: slow }) }),
)
const present = {
  pools: [pool('orders', { total: 10, idle: 3, acquired: 7, waiting: 4 }), pool('router', { total: 1, idle: 1 })],
  connections: byId(...orders, connection('router-1')),
  configuration: {
    pools: {
      orders: { protocol: 'postgres', options: { rebuildConcurrency: 3, rebuildMaxSurge: 1 } },
      router: { protocol: 'ssh', options: { rebuildConcurrency: 3, rebuildMaxSurge: 0 } },
    },
  },
}

it.each<[Action, string[]]>([
  [
    { kind: 'evict', pool: 'orders', interruptInUse: false },
    ['Closes 10 connections: 3 now, 7 when they are released.', 'The pool connects new ones as they are needed.'],
  ],
  [
    { kind: 'evict', pool: 'orders', interruptInUse: true },
    [
      'Closes 10 connections now: 7 in the middle of their work, which fails or is run again.',
      'The pool connects new ones as they are needed.',
    ],
  ],
  [
    { kind: 'rebuild-pool', pool: 'orders', all: true },
    [
      'Rebuilds 10 connections.',
      'At most 3 at a time in a pool.',
      'Each serves on until its successor is connected and checked; no request waits for it.',
      '7 are in use: their holders keep the old clients until the release.',
    ],
  ],
  [
    { kind: 'rebuild-pool', pool: 'orders', all: false },
    ['Rebuilds 1 connection.', 'Each serves on until its successor is connected and checked; no request waits for it.'],
  ],
  [{ kind: 'rebuild-pool', pool: 'router', all: false }, ['Nothing: no connection is marked for a rebuild.']],
  [
    { kind: 'rebuild-one', connectionId: 'router-1', urgent: false },
    [
      'Rebuilds 1 connection.',
      'The pool has no room for successors: each is closed before its successor connects, so there are fewer meanwhile.',
    ],
  ],
  [
    { kind: 'rebuild-one', connectionId: 'orders-9', urgent: true },
    ['Closes its client at once and connects another. Until then the pool has one connection less.'],
  ],
  [
    { kind: 'rebuild-one', connectionId: 'orders-1', urgent: true },
    ['It is in use: its client is closed on release, and another one connected. Until then the pool has one connection less.'],
  ],
  [{ kind: 'rebuild-one', connectionId: 'orders-77', urgent: false }, ['It is not there any more.']],
  [
    { kind: 'pause', pool: 'orders', failWaiting: false },
    [
      'Hands out no more connections: 7 in use now go on until released, 3 not in use stay open.',
      '4 borrowers go on waiting, and whoever comes waits too, until their time is up.',
    ],
  ],
  [
    { kind: 'pause', pool: 'orders', failWaiting: true },
    [
      'Hands out no more connections: 7 in use now go on until released, 3 not in use stay open.',
      '4 borrowers are refused now, and whoever comes too.',
    ],
  ],
  [{ kind: 'resume', pool: 'orders' }, ['Hands out connections again; 4 borrowers are served first.']],
])('of %j it says what will happen, in numbers', (action, sentences) => {
  expect(consequencesOf(action, previewOf(action, present), DICTIONARIES.en)).toEqual(sentences)
})

it('counts all pools for a rebuild of all', () => {
  const preview = previewOf({ kind: 'rebuild-all', all: true }, present)
  expect(preview).toMatchObject({ connections: 11, pools: 2, inUse: 7, marked: 1, beside: false })
})

it('leaves out what is closing, and from a rebuild what is not connected yet', () => {
  const some = byId(connection('orders-1', { state: 'closing' }), connection('orders-2', { state: 'connecting' }), connection('orders-3'))
  const of = (action: Action) => previewOf(action, { ...present, connections: some }).connections
  expect(of({ kind: 'rebuild-pool', pool: 'orders', all: true })).toBe(1)
  expect(of({ kind: 'evict', pool: 'orders', interruptInUse: false })).toBe(2)
})
