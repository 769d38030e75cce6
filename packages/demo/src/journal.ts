import type { EventName, Health, Pool, PoolEvents, Reason } from 'wellpool'
import { duration, printable, type Style } from './text.ts'

/** Something that happened. */
export interface Entry {
  /** `performance.now()` of its last time. */
  at: number
  readonly text: string
  readonly style: Style | undefined
  /** How often in a row. */
  times: number
}

/** Why a connection is as it is. */
export interface LastReason extends Pick<Reason, 'detail'> {
  /** The reason's kind, or `check failed`. */
  readonly kind: string
  readonly at: number
}

type Described = readonly [text: string, style?: Style | undefined] | undefined
type Describers = { readonly [Name in EventName]?: (event: PoolEvents[Name]) => Described }

const SEVERITY: Partial<Record<Health, Style>> = { healthy: 'good', degraded: 'warn' }

/**
 * The pool's events in words. Left out are those of each lease (there are hundreds a second) and those that the
 * next one says again: a rebuild's start after its mark, the closing and the connect that belong to a rebuild, and a
 * health that became bad or good again by one.
 */
const DESCRIBE: Describers = {
  connectionCreated: ({ connectionId, generation }) => (generation === 1 ? [`${connectionId} connected`] : undefined),
  connectionClosed: ({ connectionId, generation, reason }) =>
    reason === 'rebuilt' ? undefined : [`${connectionId} generation ${generation} closed: ${reason}`],
  connectFailed: ({ connectionId, error, attempt }) => [`${connectionId} could not connect, try ${attempt}: ${causeOf(error)}`, 'bad'],
  healthCheckFailed: ({ connectionId, error, failures }) => [
    `${connectionId} check failed, ${failures} in a row: ${causeOf(error)}`,
    'warn',
  ],
  healthStatusChanged: ({ connectionId, from, to }) =>
    from === 'unknown' || from === 'unhealthy' || to === 'unhealthy' ? undefined : [`${connectionId} was ${from}, is ${to}`, SEVERITY[to]],
  rebuildMarked: ({ connectionId, reason, urgent }) => [
    `${connectionId} marked${urgent ? ', urgent' : ''}: ${reason.kind}: ${reason.detail}`,
    urgent ? 'bad' : 'warn',
  ],
  rebuildCompleted: ({ connectionId, reason, durationMs, oldGeneration, newGeneration }) => [
    `${connectionId} rebuilt in ${duration(durationMs)}, generation ${oldGeneration} -> ${newGeneration}: ${reason.kind}`,
    'good',
  ],
  rebuildFailed: ({ connectionId, stage, error }) => [`${connectionId} rebuild failed at ${stage}: ${causeOf(error)}`, 'bad'],
  breakerOpened: ({ pool, error, retryInMs }) => [
    `pool ${pool}: breaker open, next try in ${duration(retryInMs)}: ${causeOf(error)}`,
    'bad',
  ],
  breakerHalfOpened: ({ pool }) => [`pool ${pool}: breaker half-open, one try`, 'warn'],
  breakerClosed: ({ pool }) => [`pool ${pool}: breaker closed, connects succeed`, 'good'],
  leakSuspected: ({ connectionId, heldMs }) => [`${connectionId} held for ${duration(heldMs)}: a leak?`, 'warn'],
  poolWarmedUp: ({ pool }) => [`pool ${pool} warmed up`, 'good'],
  poolPaused: ({ pool }) => [`pool ${pool} paused`, 'warn'],
  poolResumed: ({ pool }) => [`pool ${pool} resumed`, 'good'],
  poolDrained: ({ pool }) => [`pool ${pool} drained`],
  poolClosed: ({ pool }) => [`pool ${pool} closed`],
}

/** So many entries are kept: more than a screen shows. */
const KEPT = 200

/** Remembers what happened lately, and why each connection is as it is. */
export class Journal {
  readonly entries: Entry[] = []
  readonly #reasons = new Map<string, LastReason>()
  readonly #told: (entry: Entry) => void

  /** @param told hears of each entry */
  constructor(told: (entry: Entry) => void = () => {}) {
    this.#told = told
  }

  note(text: string, style?: Style, at = performance.now()): void {
    const last = this.entries.at(-1)
    if (last?.text === text) {
      last.at = at
      last.times++
      this.#told(last)
      return
    }
    const entry: Entry = { at, text: printable(text), style, times: 1 }
    this.entries.push(entry)
    if (this.entries.length > KEPT) this.entries.shift()
    this.#told(entry)
  }

  /** Why a connection was last rebuilt, or fails its checks. */
  reasonOf(connectionId: string): LastReason | undefined {
    return this.#reasons.get(connectionId)
  }

  /** Listens to a pool. */
  follow(pool: Pick<Pool<never>, 'on'>): void {
    for (const name of Object.keys(DESCRIBE) as (keyof Describers)[]) this.#followOne(pool, name)
    pool.on('rebuildCompleted', ({ connectionId, reason }) => this.#reasons.set(connectionId, { ...reason, at: performance.now() }))
    pool.on('healthCheckFailed', ({ connectionId, error }) => {
      this.#reasons.set(connectionId, { kind: 'check failed', detail: causeOf(error), at: performance.now() })
    })
    pool.on('connectionClosed', ({ connectionId, reason }) => {
      if (reason !== 'rebuilt') this.#reasons.delete(connectionId)
    })
  }

  #followOne<Name extends keyof Describers & EventName>(pool: Pick<Pool<never>, 'on'>, name: Name): void {
    const describe = DESCRIBE[name] as (event: PoolEvents[Name]) => Described
    pool.on(name, (event) => {
      const described = describe(event)
      if (described !== undefined) this.note(...described)
    })
  }
}

/** The innermost cause says what happened; those around it say what for, and the entry says that already. */
function causeOf(error: Error): string {
  let inner = error
  while (inner.cause instanceof Error && inner.cause.message !== '') inner = inner.cause
  return inner.message
}
