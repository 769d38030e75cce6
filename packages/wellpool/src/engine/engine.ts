import { Closer } from './closer.ts'
import type { Connection, Generation } from './connection.ts'
import { Connector } from './connector.ts'
import { Core } from './core.ts'
import type { Driver } from './driver.ts'
import { CircuitOpenError, type ConnectError } from './errors.ts'
import { HealthMonitor } from './health-monitor.ts'
import type { Lease } from './lease.ts'
import type { AcquireFailure } from './metrics.ts'
import type { ResolvedOptions } from './options.ts'
import { Planner } from './planner.ts'
import { RebuildManager } from './rebuild-manager.ts'
import { SecondOpinions } from './second-opinions.ts'
import { Upkeep } from './upkeep.ts'
import type { Waiter } from './wait-queue.ts'
import { WakeDetector } from './wake-detector.ts'

/** What the engine asks of the pool around it. */
export interface EngineHost<Client> {
  /** Hands a connection that is fit to serve to who has waited longest. */
  lend(connection: Connection<Client>, waiter: Waiter<Lease<Client>>): Lease<Client>
  /** A borrower leaves the queue without a lease. */
  refuse(waiter: Waiter<Lease<Client>>, error: Error, failure: AcquireFailure): void
  expired(waiter: Waiter<Lease<Client>>): void
  /** Called after each round of work. */
  settled(): void
  /** A connect was refused for good. */
  refuseStart(error: ConnectError): void
  /** Ends the timers of the pool's own. */
  stop(): void
}

/** The parts of one pool, put together, and the one place where work follows from change: {@link Engine.pump}. */
export class Engine<Client> {
  readonly core: Core<Client>
  readonly closer: Closer<Client>
  readonly connector: Connector<Client>
  readonly health: HealthMonitor<Client>
  readonly rebuilds: RebuildManager<Client>
  readonly planner: Planner<Client>
  readonly upkeep: Upkeep<Client>
  readonly opinions: SecondOpinions<Client>
  readonly #host: EngineHost<Client>

  constructor(driver: Driver<Client>, options: ResolvedOptions, host: EngineHost<Client>) {
    this.#host = host
    this.core = new Core(
      driver,
      options,
      () => this.pump(),
      (waiter) => host.expired(waiter),
    )
    this.closer = new Closer(this.core)
    this.health = new HealthMonitor(this)
    this.upkeep = new Upkeep(this)
    this.planner = new Planner(this)
    this.connector = new Connector(this)
    this.rebuilds = new RebuildManager(this)
    this.opinions = new SecondOpinions(this)
  }

  /** Begins the work that goes on by itself. */
  start(): void {
    this.upkeep.start()
    WakeDetector.of(this.core.clock).subscribe(this.#woken)
  }

  /** Ends every timer. Caller must have closed all connections. */
  stop(): void {
    this.upkeep.stop()
    this.planner.stop()
    this.opinions.stop()
    this.connector.stop()
    this.rebuilds.queue.stop()
    this.core.waiting.stop()
    this.#host.stop()
    WakeDetector.of(this.core.clock).unsubscribe(this.#woken)
  }

  /** Does all that the state of the pool calls for. Doing it twice does no harm; each step looks for itself. */
  pump(): void {
    if (this.core.state === 'running' || this.core.state === 'draining') {
      this.#serve()
      this.planner.verify()
    }
    // After those who wait were served: a hedge that won is no surplus as long as somebody needs it.
    this.planner.closeSurplus()
    this.rebuilds.pump()
    this.opinions.pump()
    this.planner.makeRoomForProbe()
    this.connector.pump()
    this.#host.settled()
  }

  /** A client is of no more use: the driver, a borrower's error or a check says so. */
  lost(generation: Generation<Client>, detail: string, cause: unknown): void {
    const { core } = this
    const { connection } = generation
    if (generation.status === 'gone' || generation.status === 'closing') return
    const wasRetired = generation.status === 'retired'
    this.closer.destroyUnderBorrowers(generation, cause)
    if (wasRetired) {
      this.closer.report(generation, 'rebuilt')
      return
    }
    core.setHealth(connection, 'unhealthy')
    core.suspectAll()
    this.connector.ended(generation, detail, cause)
    if (core.ended) this.closer.closeConnection(connection, 'lost', 'destroy')
    else this.rebuilds.mark(connection, 'connection_lost', detail, true)
  }

  #serve(): void {
    const { core } = this
    if (core.waiting.size === 0) return
    const now = core.clock.now()
    for (const connection of core.idle) {
      while (connection.list !== undefined && this.isFit(connection, now)) {
        if (core.waiting.size === 0) return
        const waiter = this.nextWaiter(now)
        waiter.resolve(this.#host.lend(connection, waiter))
      }
    }
  }

  /** Takes who has waited longest from the queue, before the lease for it is told. Caller must know that somebody waits. */
  nextWaiter(now: number): Waiter<Lease<Client>> {
    const { waiting } = this.core
    const waiter = waiting.head as Waiter<Lease<Client>>
    waiting.remove(waiter)
    this.planner.noteWait(waiter.since, now)
    return waiter
  }

  /** Whether a connection in the idle store may serve now. */
  isFit(connection: Connection<Client>, now: number): boolean {
    const { current, health } = connection
    return current !== undefined && health !== 'unhealthy' && !this.core.needsProof(current, now)
  }

  /** A connection has a new client: by its first connect or by a rebuild. Its state is idle. */
  putIntoService(connection: Connection<Client>): void {
    const { core } = this
    if (core.ended) {
      this.closer.closeConnection(connection, 'pool_closed', 'close')
      return
    }
    const generation = connection.current as Generation<Client>
    connection.idleSince = core.clock.now()
    if (core.options.allowExitOnIdle) this.setHold(generation, false)
    this.health.watch(connection)
    this.upkeep.setAge(connection)
    this.upkeep.connectionIdle()
    core.makeAvailable(connection)
    // The peer may have asked for it while the client was not in service yet.
    if (generation.retiredByPeer) this.#markRetired(connection, generation)
  }

  /** With `allowExitOnIdle`: whether the client holds the process open. */
  setHold(generation: Generation<Client>, hold: boolean): void {
    const { driver, events } = this.core
    events.call("the driver's ref or unref", () => driver[hold ? 'ref' : 'unref']?.(generation.client))
  }

  connectFailed(error: ConnectError, fatal: boolean): void {
    const { core } = this
    if (fatal) this.#host.refuseStart(error)
    if (!fatal && !core.options.failFast) return
    if (core.inService() > 0) return
    for (const waiter of [...core.waiting]) {
      core.waiting.remove(waiter)
      this.#host.refuse(waiter, fatal ? error : this.circuitOpen(), 'refused')
    }
  }

  /** For while the breaker is not closed: a connect has failed. */
  circuitOpen(): CircuitOpenError {
    const { lastError } = this.connector
    return new CircuitOpenError(
      `pool ${this.core.options.name} waits before the next try, the endpoint cannot be reached: ${lastError?.message}`,
      lastError,
    )
  }

  reportedLost(generation: Generation<Client>, error: unknown): void {
    const { connection } = generation
    if (generation.status === 'gone' || generation.status === 'closing') return
    if (this.core.calling) {
      queueMicrotask(() => this.reportedLost(generation, error))
    } else if (connection.current === generation && connection.state !== 'connecting') {
      this.lost(generation, `lost: ${error === undefined ? 'closed by the peer' : this.core.copyError(error).message}`, error)
    } else if (generation.status === 'retired') {
      this.lost(generation, 'lost', error)
    } else if (connection.current === generation) {
      this.closer.closeConnection(connection, 'lost', 'destroy')
    } else {
      // Lost inside of `watch`, or a successor that is still being checked.
      generation.lostBecause = error
      this.connector.ended(generation, 'lost', error)
      this.rebuilds.candidateLost(generation, error)
    }
  }

  reportedRetired(generation: Generation<Client>, detail: string | undefined): void {
    const { connection } = generation
    if (generation.status !== 'live' || generation.retiredByPeer) return
    generation.retiredByPeer = true
    generation.retireDetail = this.core.mask(String(detail ?? 'the peer asked for it'))
    if (connection.current === generation) this.#markRetired(connection, generation)
  }

  #markRetired(connection: Connection<Client>, generation: Generation<Client>): void {
    const { retireDetail } = generation
    this.core.idle.remove(connection)
    this.connector.ended(generation, `retired: ${retireDetail}`, retireDetail)
    this.rebuilds.mark(connection, 'retired_by_peer', retireDetail, false)
    this.core.changed()
  }

  readonly #woken = (): void => {
    this.core.suspectAll()
  }
}
