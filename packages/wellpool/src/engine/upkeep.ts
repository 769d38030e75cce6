import type { Timer } from './clock.ts'
import type { Closer } from './closer.ts'
import type { Connection, Generation } from './connection.ts'
import type { Core } from './core.ts'
import type { MarkConnection } from './health-monitor.ts'
import { limitReached } from './limits.ts'
import type { ResolvedOptions } from './options.ts'

/** What time does to connections: they come of age, they stand idle, and now and then all are evaluated. */
export class Upkeep<Client> {
  readonly #core: Core<Client>
  readonly #closer: Closer<Client>
  readonly #mark: MarkConnection<Client>
  #sweepTimer: Timer | undefined
  #idleTimer: Timer | undefined

  constructor(core: Core<Client>, closer: Closer<Client>, mark: MarkConnection<Client>) {
    this.#core = core
    this.#closer = closer
    this.#mark = mark
  }

  start(): void {
    this.#armSweep()
  }

  stop(): void {
    for (const timer of [this.#sweepTimer, this.#idleTimer]) if (timer !== undefined) this.#core.clock.clearTimeout(timer)
    this.#sweepTimer = undefined
    this.#idleTimer = undefined
  }

  /** Options have changed: begin all intervals anew. */
  restart(before: ResolvedOptions): void {
    this.stop()
    this.start()
    this.connectionIdle()
    const { maxLifetime, maxLifetimeJitter } = this.#core.options
    if (maxLifetime === before.maxLifetime && maxLifetimeJitter === before.maxLifetimeJitter) return
    for (const connection of this.#core.present()) if (connection.current?.status === 'live') this.setAge(connection)
  }

  /** Whether a look at the idle connections is planned. */
  get idleWatched(): boolean {
    return this.#idleTimer !== undefined
  }

  /** Decides how long a client lives: a share of `maxLifetime` that differs from client to client. */
  setAge(connection: Connection<Client>): void {
    const { clock, options } = this.#core
    const generation = connection.current as Generation<Client>
    if (connection.ageTimer !== undefined) clock.clearTimeout(connection.ageTimer)
    connection.ageTimer = undefined
    generation.expiresAt = Number.POSITIVE_INFINITY
    if (options.maxLifetime === Number.POSITIVE_INFINITY) return
    const lifetime = options.maxLifetime * (1 - options.maxLifetimeJitter * options.random())
    generation.expiresAt = generation.connectedAt + lifetime
    connection.ageTimer = clock.setTimeout(
      () => {
        connection.ageTimer = undefined
        this.evaluate(connection)
      },
      Math.max(0, Math.ceil(generation.expiresAt - clock.now())),
    )
  }

  /** Marks a connection that has reached its limits. */
  evaluate(connection: Connection<Client>): void {
    if (connection.mark !== undefined) return
    const reason = limitReached(connection, this.#core.options, this.#core.clock.now())
    if (reason !== undefined) this.#mark(connection, reason.kind, reason.detail, false)
  }

  /** A connection has become idle: sees to it that somebody looks when its time is over. */
  connectionIdle(): void {
    const { idleTimeout } = this.#core.options
    if (this.#idleTimer === undefined && idleTimeout !== Number.POSITIVE_INFINITY) this.#armIdle(idleTimeout)
  }

  #armIdle(delay: number): void {
    this.#idleTimer = this.#core.clock.setTimeout(() => {
      this.#idleTimer = undefined
      this.#closeIdle()
    }, Math.ceil(delay))
  }

  #closeIdle(): void {
    const { clock, idle, options } = this.#core
    const now = clock.now()
    let surplus = [...this.#core.present()].length - options.minConnections
    let next = Number.POSITIVE_INFINITY
    // The order of the store puts those that serve least often last: they go first.
    for (const connection of [...idle].reverse()) {
      if (surplus <= 0) break
      if (connection.state !== 'idle') continue
      const left = connection.idleSince + options.idleTimeout - now
      if (left > 0) {
        next = Math.min(next, left)
        continue
      }
      this.#closer.closeConnection(connection, 'idle', 'close')
      surplus--
    }
    if (next !== Number.POSITIVE_INFINITY) this.#armIdle(next)
    // With nothing above the minimum there is nothing to wait for until a connection becomes idle again.
  }

  #armSweep(): void {
    const { clock, options } = this.#core
    if (options.rebuildCheckInterval === Number.POSITIVE_INFINITY) return
    this.#sweepTimer = clock.setTimeout(() => {
      this.#armSweep()
      for (const connection of this.#core.present()) this.evaluate(connection)
      this.#core.changed()
    }, options.rebuildCheckInterval)
  }
}
