import { type Ask, type CheckResult, checkClient } from './client-check.ts'
import { Alarm, NEVER } from './clock.ts'
import type { Closer } from './closer.ts'
import { type Check, Connection, type Generation } from './connection.ts'
import type { Connector, Demand, Purpose } from './connector.ts'
import type { Core } from './core.ts'
import { formatMs } from './duration.ts'
import type { ConnectError } from './errors.ts'
import type { HealthMonitor } from './health-monitor.ts'
import type { RebuildManager } from './rebuild-manager.ts'
import type { SecondOpinions } from './second-opinions.ts'

/** What the planner needs of the engine around it, which puts the parts together after making them. */
export interface PlannerHost<Client> {
  readonly core: Core<Client>
  readonly closer: Closer<Client>
  readonly health: HealthMonitor<Client>
  readonly connector: Connector<Client>
  readonly rebuilds: RebuildManager<Client>
  readonly opinions: SecondOpinions<Client>
  /** Takes a connection with a new client into service. */
  putIntoService(connection: Connection<Client>): void
  /** A connect has failed and no present connection can serve: those who wait are refused if that is final. */
  connectFailed(error: ConnectError, fatal: boolean): void
}

/**
 * For each ms in which nobody waits, so much is taken from the time in which somebody has: bursts that are rare never add up
 * to a connect.
 */
const DRAIN = 0.05

let created = 0

/** Weighs who waits against what is coming, and decides which checks and connects are begun. */
export class Planner<Client> {
  readonly #core: Core<Client>
  readonly #host: PlannerHost<Client>
  /** Connections of this pool so far. */
  #sequence = 0
  /** For how long somebody has waited since the last new connection, less what has drained, ms; and up to when that was added up. */
  #waited = 0
  #waitedUntil = 0
  /** The next moment at which time alone changes what those who wait need. */
  readonly #look: Alarm

  constructor(host: PlannerHost<Client>) {
    this.#host = host
    this.#core = host.core
    this.#look = new Alarm(host.core.clock, () => host.core.changed())
  }

  /** The most important connect that is needed and within the limits (R2, R3). Changes nothing. */
  next(): Demand<Client> | undefined {
    const core = this.#core
    const { maxConnections, minConnections, rebuildMaxSurge } = core.options
    if (core.state === 'new' || core.ended) return undefined
    const surgeRoom = this.#hasRoom
    const roomForOneMore = core.open < maxConnections && core.places < maxConnections
    // A place that is out of service will need the room that it has left.
    const roomBeside = surgeRoom && core.places < maxConnections + rebuildMaxSurge
    // Beside what still says goodbye and who holds a replaced client, before the planned ones take that room.
    if (surgeRoom) {
      const rebuild = this.#host.rebuilds.nextOutOfService()
      if (rebuild !== undefined) return rebuild
    }
    // Before those who wait: what it finds out decides what any other connect would be good for.
    if (core.state === 'running' && roomForOneMore && this.#host.health.panic.probeWanted) return this.#newConnection('probe')
    if (core.state !== 'paused') {
      // Before those who wait: its answer may give them back what silent leases hold.
      if (roomBeside && this.#host.opinions.wanted) return this.#newConnection('opinion')
      if (roomBeside && core.waiting.size > 0 && this.#isMissing(roomForOneMore)) {
        if (roomForOneMore) return this.#newConnection('grow')
        if (this.#host.connector.count('hedge') < core.overdue.size) return this.#newConnection('hedge')
      }
      if (core.state === 'running' && roomForOneMore && core.places < minConnections) return this.#newConnection('grow')
    }
    return surgeRoom ? this.#host.rebuilds.nextPlanned() : undefined
  }

  /** Who has waited longest has done so since `since`: adds up what is not counted yet. */
  noteWait(since: number, now: number): void {
    const from = Math.max(since, this.#waitedUntil)
    this.#waited = Math.max(0, this.#waited - DRAIN * (from - this.#waitedUntil)) + now - from
    this.#waitedUntil = now
  }

  /** Begins the checks that those who wait need, and gives up checks that stand in their way. */
  verify(): void {
    const core = this.#core
    this.#noteOverdue()
    if (core.waiting.head !== undefined) {
      this.noteWait(core.waiting.head.since, core.clock.now())
      this.#giveUpSilent()
      this.#giveUpSilentConnect()
      let wanted = this.#connectionsFor(core.waiting.size) - core.checks.size
      for (const connection of core.idle) {
        if (wanted <= 0) break
        if (!this.#isCandidate(connection)) continue
        this.#host.health.check(connection)
        wanted--
      }
    }
    this.#armLook()
  }

  /** In a panic without room for the probe: the one that has failed longest gives way. */
  makeRoomForProbe(): void {
    const core = this.#core
    if (core.state !== 'running' || !this.#host.health.panic.probeWanted || this.#host.connector.breaker !== 'closed') return
    if (core.open < core.options.maxConnections && core.places < core.options.maxConnections) return
    const { victim } = this.#host.health.panic
    if (victim !== undefined) this.#host.closer.closeConnection(victim, 'unhealthy', 'destroy')
  }

  /** Closes what exceeds `maxConnections`, as far as nobody uses it. */
  closeSurplus(): void {
    const core = this.#core
    // What is still connecting is none yet: it may fail.
    let surplus = core.size - core.options.maxConnections
    if (surplus <= 0) return
    const free = [...core.connections.values()].filter(
      (connection) =>
        connection.state === 'idle' ||
        (connection.state === 'checking' && connection.check?.overdue === true) ||
        (connection.state === 'rebuilding' && this.#host.rebuilds.isWaiting(connection)),
    )
    // None is taken from its work for this. But when one is free, the one of which least good is known goes: a silent
    // one rather than the hedge that has won.
    if (!free.some(({ state }) => state !== 'checking')) return
    const worth = ({ health, current, check }: Connection<Client>): number =>
      check !== undefined || health === 'degraded' || health === 'unhealthy' ? -NEVER : (current?.lastProvenAt ?? 0)
    for (const connection of free.sort((a, b) => worth(a) - worth(b) || 0)) {
      if (surplus-- <= 0) return
      this.#host.closer.closeConnection(connection, 'surplus', connection.check === undefined ? 'close' : 'destroy')
    }
  }

  stop(): void {
    this.#look.clear()
  }

  /**
   * Whether more connections would help those who wait than are coming: growing helps only if it is faster than waiting.
   *
   * Or if there is no end of waiting, however short each wait is: when somebody has waited for as long as a connect takes
   * since the last one. Whatever comes next, that costs at most twice of what it costs who knows it (the ski-rental problem:
   * A. R. Karlin et al., "Competitive snoopy caching", 1988).
   *
   * @param mayGrow whether there is room for a connection that stays
   */
  #isMissing(mayGrow: boolean): boolean {
    const core = this.#core
    const { maxLeases, waiting } = core
    const coming = this.#host.connector.count('grow', 'hedge', 'opinion') + core.rebuilding + core.checks.size
    if (this.#connectionsFor(waiting.size) <= coming) return false
    const connectMs = core.connectTimes.usual
    const useMs = core.useTimes.usual
    const serving = core.inService() - core.overdue.size
    if (connectMs === undefined || useMs === undefined || serving <= 0) return true
    if ((waiting.size * useMs) / (serving * maxLeases) >= connectMs) return true
    if (mayGrow && this.#waited >= connectMs) return true
    // Those who have waited for as long as a connect takes are served by one, however short the queue.
    const before = core.clock.now() - connectMs
    let old = 0
    for (const { since } of waiting) {
      if (since > before) return false
      if (this.#connectionsFor(++old) > coming) return true
    }
    return false
  }

  /** How many connections so many borrowers need, each serving as many as it can. */
  #connectionsFor(borrowers: number): number {
    return borrowers === 0 ? 0 : Math.max(1, Math.ceil(borrowers / this.#core.maxLeases))
  }

  #isCandidate(connection: Connection<Client>): boolean {
    const generation = connection.current as Generation<Client>
    const now = this.#core.clock.now()
    if (connection.health === 'unhealthy' || now < this.#retryAt(connection)) return false
    return this.#host.health.canCheck(connection) && this.#core.needsProof(generation, now)
  }

  /** When a connection whose check has failed may be checked for somebody who waits: as soon as a connect is tried again. */
  #retryAt({ lastFailedAt }: Connection<Client>): number {
    const { backoff, healthRecheckInterval } = this.#core.options
    return lastFailedAt + Math.min(healthRecheckInterval, backoff.maxWhileWaited)
  }

  /** Notes which checks have become overdue. */
  #noteOverdue(): void {
    const { checks, clock, overdue, overdueAfter } = this.#core
    for (const connection of checks) {
      const check = connection.check as Check<Client>
      if (clock.now() - check.startedAt < overdueAfter) return
      check.overdue = true
      checks.delete(connection)
      overdue.add(connection)
    }
  }

  /** An overdue check blocks a place that others need, while the endpoint has answered somebody else: enough. */
  #giveUpSilent(): void {
    const core = this.#core
    if (core.overdue.size === 0 || core.panic || this.#hasRoom) return
    const lastProof = this.#lastProof()
    for (const connection of [...core.overdue]) {
      const check = connection.check as Check<Client>
      if (connection.state !== 'checking' || check.startedAt >= lastProof) continue
      this.#host.health.condemn(
        connection,
        `a check silent for ${formatMs(core.clock.now() - check.startedAt)} while other connections answer`,
      )
    }
  }

  /**
   * A silent connect has the last room while connections are there, and none of them has proven itself since it began: what
   * has silenced them may have silenced it. Another one may fare better, and finds out about them.
   */
  #giveUpSilentConnect(): void {
    const core = this.#core
    const { connector } = this.#host
    const [connect] = connector.connects
    if (connect?.silent === true && core.size > 0 && !this.#hasRoom && this.#lastProof() <= connect.startedAt)
      connector.giveUpSilent(connect)
  }

  /** Whether one more connect could begin beside all that is there. */
  get #hasRoom(): boolean {
    const { open, options } = this.#core
    return open < options.maxConnections + options.rebuildMaxSurge
  }

  #lastProof(): number {
    let last = 0
    for (const { current } of this.#core.present()) last = Math.max(last, current?.lastProvenAt ?? 0)
    return last
  }

  /** Somebody waits: look again when a check becomes overdue or may be repeated, or when the longest wait exceeds a connect. */
  #armLook(): void {
    const core = this.#core
    this.stop()
    const { head } = core.waiting
    if (head === undefined) return
    const now = core.clock.now()
    let at = NEVER
    for (const connection of core.idle.degraded) {
      const retryAt = this.#retryAt(connection)
      if (retryAt > now) at = Math.min(at, retryAt)
    }
    const [next] = core.checks
    if (next !== undefined) at = Math.min(at, (next.check as Check<Client>).startedAt + core.overdueAfter)
    const connectMs = core.connectTimes.usual
    if (connectMs !== undefined && core.places < core.options.maxConnections && this.#waited < connectMs) {
      at = Math.min(at, now + connectMs - this.#waited)
    }
    this.#look.set(Math.max(1, at - now))
  }

  /** A connect that makes a new connection. */
  #newConnection(purpose: Exclude<Purpose, 'rebuild'>): Demand<Client> {
    const core = this.#core
    let connection: Connection<Client>
    const gone = (): void => {
      if (purpose === 'probe') this.#host.health.panic.probeFailed()
      this.#host.closer.closeConnection(connection, 'unhealthy', 'destroy')
    }
    return {
      purpose,
      begin: () => {
        connection = new Connection(`${core.options.name}-${++created}`, ++this.#sequence, core.clock.wallNow())
        core.add(connection)
        this.#waited = 0
        if (purpose === 'probe') this.#host.health.panic.probing = true
        return connection
      },
      done: (generation) => {
        connection.current = generation
        // Who waited while it was on its way says nothing of what is missing beside it.
        this.#waited = 0
        this.#waitedUntil = generation.connectedAt
        if (core.ended) this.#host.closer.closeConnection(connection, 'pool_closed', 'close')
        else if (purpose === 'probe') this.#checkProbe(connection, generation)
        else if (purpose === 'opinion' && this.#host.opinions.pending) this.#askOver(connection, generation)
        else this.#serve(connection)
      },
      failed: (error, fatal) => {
        gone()
        this.#host.connectFailed(error, fatal)
      },
      cancelled: gone,
    }
  }

  #serve(connection: Connection<Client>): void {
    this.#core.setState(connection, 'idle')
    this.#host.putIntoService(connection)
  }

  /** The probe shows whether a new connection fares better than those that fail. */
  #checkProbe(connection: Connection<Client>, generation: Generation<Client>): void {
    const { panic } = this.#host.health
    this.#tryOut(connection, generation, undefined, (ok) => (ok ? panic.probePassed() : panic.probeFailed()))
  }

  /** It was made to ask about others over it. Who can answer may serve. */
  #askOver(connection: Connection<Client>, generation: Generation<Client>): void {
    this.#tryOut(connection, generation, (client, context) => this.#host.opinions.ask(client, context))
  }

  /** Takes a new connection into service if it answers. */
  #tryOut(connection: Connection<Client>, generation: Generation<Client>, ask?: Ask<Client>, tell: (ok: boolean) => void = () => {}): void {
    const core = this.#core
    const startedAt = core.clock.now()
    const ended = ({ ok }: CheckResult): void => {
      core.setCheck(connection, undefined)
      tell(ok)
      if (ok) {
        generation.lastProvenAt = core.clock.now()
        this.#serve(connection)
        core.setHealth(connection, 'healthy')
      } else {
        this.#host.closer.closeConnection(connection, 'unhealthy', 'destroy')
      }
      core.changed()
    }
    const abandon = checkClient(core, generation, core.options.healthCheckTimeout, ended, undefined, ask)
    core.setCheck(connection, {
      generation,
      startedAt,
      overdue: false,
      timedOut: false,
      abandon: () => {
        abandon()
        tell(false)
      },
    })
  }
}
