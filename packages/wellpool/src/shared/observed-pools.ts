import type { Pool, PoolStats, Pools } from '../index.ts'

/** What is read of a pool: nothing that has to do with its clients. */
export type ReadablePool = Pick<Pool<unknown>, 'name' | 'on' | 'options' | 'stats'>

/** A pool, or a set of them: those that are added to the set later included. */
export type PoolSource = ReadablePool | Pick<Pools, 'on' | typeof Symbol.iterator>

/** A pool and its figures as they were a moment ago. */
export interface Observed {
  readonly pool: ReadablePool
  readonly stats: PoolStats
}

/** The pools whose figures are read when somebody asks for them. */
export class ObservedPools {
  /** One for each observation: a source that is observed twice stays until both have ended. */
  readonly #observations = new Set<{ readonly source: PoolSource }>()
  readonly #closed: (pool: string) => void
  #list: readonly Observed[] | undefined

  /** @param closed hears that no observed pool of this name is left */
  constructor(closed: (pool: string) => void) {
    this.#closed = closed
  }

  /** @returns a function that ends the observation */
  observe(source: PoolSource): () => void {
    const observation = { source }
    const off = source.on('poolClosed', ({ pool }) => {
      // Nothing more comes of it, and it would be kept for as long as the process lives. A set may get other pools.
      if (!isSet(source)) end()
      // Another of the same name goes on: a pool of a set that was replaced.
      if (!this.list().some(({ stats }) => stats.name === pool)) this.#closed(pool)
    })
    const end = (): void => {
      this.#observations.delete(observation)
      off()
    }
    this.#observations.add(observation)
    return end
  }

  /** Each pool that is not closed, once. Those who ask in the same turn share one count: each figure is asked for by itself. */
  list(): readonly Observed[] {
    if (this.#list === undefined) {
      this.#list = this.#count()
      queueMicrotask(() => {
        this.#list = undefined
      })
    }
    return this.#list
  }

  #count(): Observed[] {
    const pools = new Set<ReadablePool>()
    for (const { source } of this.#observations) {
      if (isSet(source)) for (const [, pool] of source) pools.add(pool)
      else pools.add(source)
    }
    return [...pools].map((pool) => ({ pool, stats: pool.stats() })).filter(({ stats }) => stats.state !== 'closed')
  }
}

const isSet = (source: PoolSource): source is Pick<Pools, 'on' | typeof Symbol.iterator> => Symbol.iterator in source
