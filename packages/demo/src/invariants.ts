import type { PoolStats } from 'wellpool'
import type { FaultProxy } from 'wellpool/testing'
import type { Observer } from './observer.ts'
import { MOST_OPEN } from './settings.ts'

/** How often the server is asked, ms. */
const ASK_EVERY_MS = 250
/** How many sessions are remembered: more than a fault leaves behind. */
const REMEMBERED = 1_000

/** What was seen of the limits so far. */
export interface InvariantsSeen {
  /** Each rule that was broken, with how often. */
  readonly broken: ReadonlyMap<string, number>
  /** The most clients that the pool had open. */
  readonly mostOpen: number
  /** Sessions that the server holds for the pool; undefined while it can't be asked. */
  readonly backends: number | undefined
  readonly mostBackends: number
  /** Sessions whose flow the pool has closed and the server has not heard of: the network keeps it from knowing. */
  readonly cutOff: number
}

/** What must hold at any time, whatever happens between pool and server. */
export class Invariants implements InvariantsSeen {
  readonly broken = new Map<string, number>()
  mostOpen = 0
  backends: number | undefined
  mostBackends = 0
  cutOff = 0
  readonly #observer: Pick<Observer, 'backends'>
  readonly #proxy: Pick<FaultProxy, 'flows'>
  /** The client's port of each session, by its process id at the server. */
  readonly #ports = new Map<number, number>()
  #timer: NodeJS.Timeout | undefined
  #asking: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(observer: Pick<Observer, 'backends'>, proxy: Pick<FaultProxy, 'flows'>) {
    this.#observer = observer
    this.#proxy = proxy
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#asking = this.#askServer().then(() => this.#askAgain())
    }, ASK_EVERY_MS)
  }

  /** Resolves when the server is not asked any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#asking
  }

  /** A session of the pool's has begun. */
  learn(pid: number, clientPort: number): void {
    this.#ports.set(pid, clientPort)
    for (const oldest of this.#ports.keys()) {
      if (this.#ports.size <= REMEMBERED) break
      this.#ports.delete(oldest)
    }
  }

  /** Looks at the pool's own count; to be called often. */
  look({ open }: Pick<PoolStats, 'open'>): void {
    this.mostOpen = Math.max(this.mostOpen, open)
    if (open > MOST_OPEN) this.break(`the pool had more than ${MOST_OPEN} clients open`)
  }

  break(rule: string): void {
    this.broken.set(rule, (this.broken.get(rule) ?? 0) + 1)
  }

  #askAgain(): void {
    if (!this.#stopped) this.start()
  }

  async #askServer(): Promise<void> {
    let pids: number[]
    try {
      pids = (await this.#observer.backends()).map(({ pid }) => pid)
    } catch {
      this.backends = undefined
      return
    }
    const open = new Set<number>()
    for (const { clientOpen, clientPort } of this.#proxy.flows()) if (clientOpen) open.add(clientPort)
    const held = pids.filter((pid) => {
      const port = this.#ports.get(pid)
      // One that has not been introduced yet is one that the pool is making.
      return port === undefined || open.has(port)
    })
    this.backends = held.length
    this.cutOff = pids.length - held.length
    this.mostBackends = Math.max(this.mostBackends, held.length)
    if (held.length > MOST_OPEN) this.break(`the server saw more than ${MOST_OPEN} sessions of the pool`)
  }
}
