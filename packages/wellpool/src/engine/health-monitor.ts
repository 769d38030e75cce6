import { type Ask, type CheckResult, checkClient } from './client-check.ts'
import { Alarm, NEVER } from './clock.ts'
import type { Closer } from './closer.ts'
import type { Check, Connection, Generation } from './connection.ts'
import { type Core, isPresent } from './core.ts'
import { formatMs } from './duration.ts'
import { isRested } from './limits.ts'
import { Panic } from './panic.ts'
import type { ReasonKind } from './reason.ts'

/** A check slower than the usual is no outlier below this, ms. */
const OUTLIER_FLOOR = 50
/** So many others are asked what is usual, when nobody has been asked for long. */
const COMPARED = 3
/** 1 / φ. Multiples of it, modulo 1, are spread evenly however many there are. */
const GOLDEN = (Math.sqrt(5) - 1) / 2

/** What those who decide on rebuilds need of the engine around them. */
export interface MarkingHost<Client> {
  readonly core: Core<Client>
  readonly closer: Closer<Client>
  readonly rebuilds: {
    /** Decides that a connection is to be rebuilt. */
    mark(connection: Connection<Client>, kind: ReasonKind, detail: string, urgent: boolean): void
  }
  readonly upkeep: {
    /** A check has ended, which may have kept the connection from being closed. */
    checkEnded(connection: Connection<Client>): void
  }
  /** A client is of no more use. */
  lost(generation: Generation<Client>, detail: string, cause: unknown): void
}

/**
 * Knows how well the connections are: checks them in turn, again soon after a failure, and on demand before
 * they serve.
 */
export class HealthMonitor<Client> {
  readonly #core: Core<Client>
  readonly #host: MarkingHost<Client>
  readonly #startedAt: number
  readonly panic: Panic<Client>

  constructor(host: MarkingHost<Client>) {
    const { core } = host
    this.#host = host
    this.#core = core
    this.#startedAt = core.clock.now()
    this.panic = new Panic(core)
  }

  /** Takes a connection with a new client under care. */
  watch(connection: Connection<Client>): void {
    this.#healed(connection)
    connection.slowChecks = 0
    connection.requestsSeen = 0
    connection.recheck ??= new Alarm(this.#core.clock, () => this.#recheck(connection))
    connection.recheck.clear()
    connection.healthCheck ??= new Alarm(this.#core.clock, () => {
      this.schedule(connection)
      this.#regularCheck(connection)
    })
    this.schedule(connection)
  }

  /** Plans the next regular check: each connection has its own place within the interval. */
  schedule(connection: Connection<Client>): void {
    const { clock, options } = this.#core
    const interval = options.healthCheckInterval
    const place = this.#startedAt + ((connection.sequence * GOLDEN) % 1) * interval
    const past = (clock.now() - place) % interval
    const left = interval - (past < 0 ? past + interval : past)
    connection.healthCheck?.set(interval === NEVER ? NEVER : Math.max(1, left))
  }

  /** Whether a check of the connection can begin now. */
  canCheck(connection: Connection<Client>): boolean {
    if (connection.check !== undefined || connection.current?.status !== 'live' || connection.current.resetting) return false
    return connection.state === 'idle' || (connection.state === 'acquired' && this.#core.maxLeases > 1)
  }

  /**
   * Begins a check. Caller must have asked `canCheck`.
   *
   * @param ask what is asked instead of the driver's check: the answer proves the connection just as well, but says
   *   nothing of how fast it is
   */
  check(connection: Connection<Client>, ask?: Ask<Client>): void {
    const core = this.#core
    const generation = connection.current as Generation<Client>
    connection.recheck?.clear()
    connection.checkedAt = core.clock.now()
    generation.checkWanted = false
    // Where a client takes several leases, checks run beside them.
    if (core.maxLeases === 1) {
      core.idle.remove(connection)
      core.setState(connection, 'checking')
    }
    const abandon = checkClient(
      core,
      generation,
      core.options.healthCheckTimeout,
      (result) => this.#ended(connection, check, result, ask === undefined),
      () => this.#settledLate(connection, check),
      ask,
    )
    const check: Check<Client> = { generation, startedAt: core.clock.now(), overdue: false, timedOut: false, abandon }
    core.setCheck(connection, check)
  }

  #regularCheck(connection: Connection<Client>): void {
    const core = this.#core
    if (connection.recheck?.pending === true || core.waiting.size > 0 || !this.canCheck(connection)) return
    const { lastProvenAt, requests } = connection.current as Generation<Client>
    const served = requests !== connection.requestsSeen
    connection.requestsSeen = requests
    // What has served a request since its last turn has proven itself by that.
    if (served && lastProvenAt >= core.suspectSince && lastProvenAt !== -NEVER) return
    this.check(connection)
  }

  #ended(connection: Connection<Client>, check: Check<Client>, result: CheckResult, timed: boolean): void {
    if (connection.check !== check) return
    if (result.timedOut) check.timedOut = true
    else this.#putBack(connection)
    if (result.ok) this.#passed(connection, check.generation, timed ? result.elapsedMs : undefined)
    else if (result.fatal) this.#host.lost(check.generation, (result.error as Error).message, result.error)
    else this.#failed(connection, result.error as Error, !result.timedOut)
    this.#over(connection)
  }

  #settledLate(connection: Connection<Client>, check: Check<Client>): void {
    if (connection.check !== check) return
    this.#putBack(connection)
    this.#recheckSoon(connection)
    this.#over(connection)
  }

  #over(connection: Connection<Client>): void {
    const { check, state } = connection
    // It was not to be had while it was checked, or while it was unhealthy beside its leases.
    if (check === undefined && (state === 'idle' || state === 'acquired')) this.#core.makeAvailable(connection)
    this.#host.upkeep.checkEnded(connection)
    // Also where it may not serve: a rebuild that was decided meanwhile may begin now.
    this.#core.changed()
  }

  /** The driver has let go of the client: it may do something else. */
  #putBack(connection: Connection<Client>): void {
    this.#core.setCheck(connection, undefined)
    if (connection.state === 'checking') this.#core.setState(connection, 'idle')
  }

  #passed(connection: Connection<Client>, generation: Generation<Client>, elapsedMs: number | undefined): void {
    const core = this.#core
    this.#healed(connection)
    generation.lastProvenAt = core.clock.now()
    generation.usedSinceProof = false
    this.panic.review()
    if (elapsedMs === undefined) core.setHealth(connection, 'healthy')
    else this.#judgeSpeed(connection, elapsedMs)
  }

  /** The run of failures has ended. */
  #healed(connection: Connection<Client>): void {
    connection.failures = 0
    connection.failureCountedAt = -NEVER
    connection.lastFailedAt = -NEVER
    this.#core.failing.delete(connection)
  }

  #judgeSpeed(connection: Connection<Client>, elapsedMs: number): void {
    const core = this.#core
    const { options } = core
    const usual = core.checkTimes.usual
    core.checkTimes.add(elapsedMs)
    const slow = elapsedMs > options.degradedThreshold
    core.setHealth(connection, slow ? 'degraded' : 'healthy')
    const rested = isRested(connection, options, core.clock.now())
    if (slow && options.rebuildOnDegraded && rested) {
      this.#host.rebuilds.mark(
        connection,
        'degraded_performance',
        `a check took ${formatMs(elapsedMs)}, allowed are ${formatMs(options.degradedThreshold)}`,
        false,
      )
    }
    const strange = options.smartRebuildEnabled && elapsedMs > OUTLIER_FLOOR && elapsedMs > options.outlierFactor * (usual ?? 0)
    if (strange) this.#compare()
    const outlier = strange && usual !== undefined
    connection.slowChecks = outlier ? connection.slowChecks + 1 : 0
    if (connection.slowChecks >= 2 && rested) {
      this.#host.rebuilds.mark(
        connection,
        'slow_outlier',
        `${connection.slowChecks} checks in a row took over ${options.outlierFactor} × the pool's usual ${formatMs(usual as number)}: ${formatMs(elapsedMs)}`,
        false,
      )
    } else if (strange) {
      this.#recheckSoon(connection)
    }
  }

  /**
   * Checks some that are idle. In a pool that is in use nobody is checked but who was slow: without others beside
   * them, their times would soon be the usual.
   */
  #compare(): void {
    const core = this.#core
    if (core.waiting.size > 0) return
    const lately = core.clock.now() - core.options.healthRecheckInterval
    const others = [...core.idle].filter((other) => this.canCheck(other) && other.checkedAt <= lately)
    for (const other of others.slice(0, COMPARED)) this.check(other)
  }

  /** @param alive whether the peer answered at all */
  #failed(connection: Connection<Client>, error: Error, alive: boolean): void {
    const core = this.#core
    const now = core.clock.now()
    // What has aged since the last look counts no more: a panic is judged by failures that belong together.
    this.panic.review()
    // A check that came early, because somebody waits, may have met the same fault once more: that is no news.
    // The 1 ms is a timer's, which may be early by that much.
    const isNews = now - connection.failureCountedAt >= core.options.healthRecheckInterval - 1
    if (isNews) {
      if (connection.failures++ === 0) connection.failingSince = now
      connection.failureCountedAt = now
    }
    connection.lastFailedAt = now
    core.failing.delete(connection)
    core.failing.add(connection)
    core.events.emit('healthCheckFailed', { ...core.identify(connection), error, failures: connection.failures })
    this.panic.review()
    const generation = connection.current as Generation<Client>
    if (core.panic && alive) {
      // The peer lives, and most others get the same answer: it is as fit to serve as any.
      generation.lastProvenAt = now
      generation.usedSinceProof = false
      core.setHealth(connection, 'degraded')
      this.#recheckSoon(connection)
      return
    }
    generation.lastProvenAt = -NEVER
    if (isNews && !core.panic) core.suspectAll()
    if (connection.failures < core.options.unhealthyThreshold) {
      core.setHealth(connection, 'degraded')
      this.#recheckSoon(connection)
      return
    }
    core.setHealth(connection, 'unhealthy')
    if (core.panic) this.#recheckSoon(connection)
    else this.condemn(connection, `${connection.failures} failed checks in a row: ${error.message}`)
  }

  /** Too many checks have failed, or one is silent while others answer. */
  condemn(connection: Connection<Client>, detail: string): void {
    const core = this.#core
    if (!core.options.healthCheckTriggerRebuild) {
      // Borrowed (checks run beside leases): closed on release, when the pool looks at its health.
      if ((connection.current?.leases ?? 0) === 0) this.#host.closer.closeConnection(connection, 'unhealthy', 'destroy')
      return
    }
    const before = connection.mark
    this.#host.rebuilds.mark(connection, 'health_failures', detail, true)
    const { mark } = connection
    // Where checks run beside leases more of them may fail before the release: that decides nothing anew.
    if (before !== undefined || mark?.kind !== 'health_failures') return
    core.counters.rebuildsByHealthCheck++
    core.events.emit('healthCheckTriggeredRebuild', { ...core.identify(connection), reason: { kind: mark.kind, detail: mark.detail } })
  }

  /** After a failure the next check does not wait for its turn. */
  #recheckSoon(connection: Connection<Client>): void {
    connection.recheck?.set(this.#core.options.healthRecheckInterval)
  }

  #recheck(connection: Connection<Client>): void {
    if (!isPresent(connection)) return
    if (connection.check?.timedOut === true) {
      // Still silent: as good as one more failure.
      this.#failed(connection, new Error('a check never settled'), false)
    } else if (this.canCheck(connection)) {
      this.check(connection)
    }
    this.#core.changed()
  }

  /** Forgets a check in flight, because its client is being replaced. */
  abandon(connection: Connection<Client>): void {
    this.#core.abandonCheck(connection)
    this.#putBack(connection)
  }
}
