import { Alarm, NEVER } from './clock.ts'
import type { Connection, Generation } from './connection.ts'
import type { Core } from './core.ts'
import type { MarkingHost } from './health-monitor.ts'
import { limitReached } from './limits.ts'
import type { ResolvedOptions } from './options.ts'

/** What time does to connections: they come of age, they stand idle, and now and then all are evaluated. */
export class Upkeep<Client> {
  readonly #core: Core<Client>
  readonly #host: MarkingHost<Client>
  readonly #sweep: Alarm
  readonly #idle: Alarm

  constructor(host: MarkingHost<Client>) {
    const { core } = host
    this.#host = host
    this.#core = core
    this.#sweep = new Alarm(core.clock, () => this.#evaluateAll())
    this.#idle = new Alarm(core.clock, () => this.#closeIdle())
  }

  start(): void {
    this.#sweep.set(this.#core.options.rebuildCheckInterval)
  }

  stop(): void {
    this.#sweep.clear()
    this.#idle.clear()
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
    return this.#idle.pending
  }

  /** Decides how long a client lives: a share of `maxLifetime` that differs from client to client. */
  setAge(connection: Connection<Client>): void {
    const { clock, options } = this.#core
    const generation = connection.current as Generation<Client>
    const lifetime = options.maxLifetime * (1 - options.maxLifetimeJitter * options.random())
    generation.expiresAt = generation.connectedAt + lifetime
    connection.age ??= new Alarm(clock, () => this.#cameOfAge(connection))
    connection.age.set(Math.max(0, generation.expiresAt - clock.now()))
  }

  #cameOfAge(connection: Connection<Client>): void {
    const { expiresAt } = connection.current as Generation<Client>
    const left = expiresAt - this.#core.clock.now()
    // A timer may be a millisecond early, and then there is nothing to mark yet.
    if (left > 0) connection.age?.set(left)
    else this.evaluate(connection)
  }

  /** Marks a connection that has reached its limits. */
  evaluate(connection: Connection<Client>): void {
    if (connection.mark !== undefined) return
    const reason = limitReached(connection, this.#core.options, this.#core.clock.now())
    if (reason !== undefined) this.#host.rebuilds.mark(connection, reason.kind, reason.detail, false)
  }

  /** A connection has become idle: sees to it that somebody looks when its time is over. */
  connectionIdle(): void {
    if (!this.#idle.pending) this.#idle.set(this.#core.options.idleTimeout)
  }

  /** What a check has kept from being closed in time is closed soon after that has ended, unless it serves somebody first. */
  checkEnded({ idleSince, state }: Connection<Client>): void {
    const { clock, options, size } = this.#core
    if (state === 'idle' && size > options.minConnections && clock.now() - idleSince >= options.idleTimeout) this.#idle.set(1)
  }

  #closeIdle(): void {
    const { checks, clock, idle, options, overdue } = this.#core
    const now = clock.now()
    let surplus = this.#core.size - options.minConnections
    let next = NEVER
    // The order of the store puts those that serve least often last: they go first.
    for (const connection of [...idle].reverse()) {
      if (surplus <= 0) break
      if (connection.state !== 'idle') continue
      const left = connection.idleSince + options.idleTimeout - now
      if (left > 0) {
        next = Math.min(next, left)
        continue
      }
      this.#host.closer.closeConnection(connection, 'idle', 'close')
      surplus--
    }
    // Who is being checked is idle all the same, and its time comes.
    for (const { idleSince } of [...checks, ...overdue]) {
      const left = idleSince + options.idleTimeout - now
      if (surplus > 0 && left > 0) next = Math.min(next, left)
    }
    this.#idle.set(next)
    // With nothing above the minimum there is nothing to wait for until a connection becomes idle again.
  }

  #evaluateAll(): void {
    this.#sweep.set(this.#core.options.rebuildCheckInterval)
    for (const connection of this.#core.present()) this.evaluate(connection)
    this.#core.changed()
  }
}
