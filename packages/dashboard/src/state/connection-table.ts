import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { Connection, ConnectionState, Health } from '../api/contract.ts'
import { FrameQueue, type OnFrame } from './frame-queue.ts'

/** What a cell shows of a connection. */
export interface Look {
  readonly state: ConnectionState
  readonly health: Health
  /** Why it is to be rebuilt, and whether at once; undefined while it is not. */
  readonly mark: { readonly kind: string; readonly urgent: boolean } | undefined
}

/**
 * The connections of all pools. A cell listens to the look of its own connection and to nothing else, so that of a
 * thousand only those are drawn anew which have changed.
 */
export class ConnectionTable {
  /** Each connection as it was last heard of. */
  readonly all: Signal<ReadonlyMap<string, Connection>> = signal(new Map())
  /** The ids of each pool, in the pool's order. It changes when connections come or go, not when they change. */
  readonly idsByPool: Signal<ReadonlyMap<string, readonly string[]>> = signal(new Map())
  readonly #looks = new Map<string, Signal<Look>>()
  readonly #queue: FrameQueue<Look>

  constructor(onFrame: OnFrame) {
    this.#queue = new FrameQueue((updates) => {
      batch(() => {
        for (const [id, look] of updates) {
          const known = this.#looks.get(id)
          if (known !== undefined) known.value = look
        }
      })
    }, onFrame)
  }

  /** The look of a connection that `idsByPool` names. */
  look(id: string): ReadonlySignal<Look> {
    const look = this.#looks.get(id)
    if (look === undefined) throw new Error(`bug: nothing is known of connection ${id}`)
    return look
  }

  /** Takes the present connections of all pools. */
  set(connections: readonly Connection[]): void {
    const all = new Map(connections.map((connection) => [connection.id, connection]))
    for (const connection of connections) this.#see(connection)
    this.all.value = all
    const ids = groupByPool(connections)
    if (!areSame(ids, this.idsByPool.value)) this.idsByPool.value = ids
    // Last: cells of what has gone are still there until `idsByPool` has changed.
    for (const id of this.#looks.keys()) {
      if (all.has(id)) continue
      this.#looks.delete(id)
      this.#queue.delete(id)
    }
  }

  #see(connection: Connection): void {
    const look = lookOf(connection)
    const known = this.#looks.get(connection.id)
    if (known === undefined) this.#looks.set(connection.id, signal(look))
    else if (!looksSame(this.#queue.pending(connection.id) ?? known.peek(), look)) this.#queue.set(connection.id, look)
  }
}

function lookOf({ state, health, mark }: Connection): Look {
  return { state, health, mark: mark === undefined ? undefined : { kind: mark.kind, urgent: mark.urgent } }
}

function looksSame(a: Look, b: Look): boolean {
  return a.state === b.state && a.health === b.health && a.mark?.kind === b.mark?.kind && a.mark?.urgent === b.mark?.urgent
}

function groupByPool(connections: readonly Connection[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { id, pool } of connections) {
    const group = groups.get(pool)
    if (group === undefined) groups.set(pool, [id])
    else group.push(id)
  }
  return groups
}

function areSame(a: ReadonlyMap<string, readonly string[]>, b: ReadonlyMap<string, readonly string[]>): boolean {
  if (a.size !== b.size) return false
  for (const [pool, ids] of a) {
    const others = b.get(pool)
    if (others === undefined || ids.length !== others.length || ids.some((id, index) => id !== others[index])) return false
  }
  return true
}
