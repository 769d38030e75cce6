import type { Configuration, Connection, Pool } from '../api/contract.ts'

/** What somebody may do by hand. */
export type Action =
  | { readonly kind: 'rebuild-one'; readonly connectionId: string; readonly urgent: boolean }
  | { readonly kind: 'rebuild-pool'; readonly pool: string; readonly all: boolean }
  | { readonly kind: 'rebuild-all'; readonly all: boolean }
  | { readonly kind: 'pause'; readonly pool: string; readonly failWaiting: boolean }
  | { readonly kind: 'resume'; readonly pool: string }
  | { readonly kind: 'evict'; readonly pool: string; readonly interruptInUse: boolean }

/** What an action would do now, in numbers. */
export interface Preview {
  /** Connections that it is about, and how many of them are in use. */
  readonly connections: number
  readonly inUse: number
  readonly notInUse: number
  readonly waiting: number
  readonly pools: number
  /** Connections of the pools that are to be rebuilt anyway. */
  readonly marked: number
  /** How many are rebuilt at the same time, in one pool; undefined when the agent has not said. */
  readonly atATime: number | undefined
  /** Whether successors are connected beside the old clients; without room for them the old ones are closed first. */
  readonly beside: boolean
  /** There is no such connection or pool any more. */
  readonly isGone: boolean
}

/** What is known when an action is looked at. */
export interface Present {
  readonly pools: readonly Pool[]
  readonly connections: ReadonlyMap<string, Connection>
  readonly configuration: Configuration | undefined
}

/** Says what an action would do, if it were done at once. */
export function previewOf(action: Action, present: Present): Preview {
  const pools = present.pools.filter(({ name }) => isAbout(action, name, present.connections))
  const all = [...present.connections.values()].filter((connection) => pools.some(({ name }) => name === connection.pool))
  const chosen = all.filter((connection) => isChosen(action, connection))
  const inUse = chosen.filter(({ state }) => state === 'acquired').length
  const options = pools.map(({ name }) => present.configuration?.pools[name]?.options ?? {})
  const concurrency = options.map(({ rebuildConcurrency }) => numberOf(rebuildConcurrency)).filter((value) => value !== undefined)
  return {
    connections: chosen.length,
    inUse,
    notInUse: chosen.length - inUse,
    waiting: pools.reduce((sum, { stats }) => sum + stats.waiting, 0),
    pools: pools.length,
    marked: all.filter(({ mark }) => mark !== undefined).length,
    atATime: concurrency.length === 0 ? undefined : Math.max(...concurrency),
    beside: options.every(({ rebuildMaxSurge }) => rebuildMaxSurge !== 0),
    isGone: pools.length === 0 || (action.kind === 'rebuild-one' && chosen.length === 0),
  }
}

function isAbout(action: Action, pool: string, connections: ReadonlyMap<string, Connection>): boolean {
  if (action.kind === 'rebuild-all') return true
  if (action.kind === 'rebuild-one') return connections.get(action.connectionId)?.pool === pool
  return action.pool === pool
}

function isChosen(action: Action, { id, state, mark }: Connection): boolean {
  if (state === 'closing' || state === 'closed') return false
  if (action.kind === 'rebuild-one') return id === action.connectionId
  if (action.kind !== 'rebuild-pool' && action.kind !== 'rebuild-all') return true
  return state !== 'connecting' && (action.all || mark !== undefined)
}

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)
