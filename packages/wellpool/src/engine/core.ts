import { type Clock, NEVER, ProcessHold } from './clock.ts'
import type { Check, Connection, Generation } from './connection.ts'
import { assertTransition, type ConnectionState, type Health } from './connection-state.ts'
import type { Driver, ErrorClass } from './driver.ts'
import { Events } from './events.ts'
import { IdleStore } from './idle-store.ts'
import type { Lease } from './lease.ts'
import { type Counters, createCounters, type MetricLabels, type MetricsCollector } from './metrics.ts'
import type { ResolvedOptions } from './options.ts'
import type { Mark } from './reason.ts'
import { RecentTimes } from './recent-times.ts'
import type { ConnectionRecord, PoolState } from './records.ts'
import { copyError, maskSecrets } from './redact.ts'
import { type Waiter, WaitQueue } from './wait-queue.ts'

/** A check that passed this recently counts even with `verifyIdleAfter: 0`, else nothing would ever be served. ms */
const JUST_NOW = 10

/** How long a beat is, ms: what a use that was not measured took at most. */
export const BEAT = 100

/** A use is slow when it takes longer than this many times the pool's usual, and longer than the floor, ms. */
export const SLOW_USE_FACTOR = 10
export const SLOW_USE_FLOOR = 250

/** A check is overdue after this many times the usual. */
const OVERDUE_FACTOR = 3

/** A collector's methods, without the labels that come first. */
type Measurement<Method extends keyof MetricsCollector> =
  NonNullable<MetricsCollector[Method]> extends (labels: MetricLabels, ...rest: infer Rest) => void ? Rest : never

/**
 * What the parts of one pool share: its connections, its limits and counters, and the few steps that all of
 * them take. The parts know this and not each other; `changed()` is how they ask for what follows.
 */
export class Core<Client> {
  readonly clock: Clock
  readonly hold: ProcessHold
  readonly events: Events
  readonly labels: MetricLabels
  readonly counters: Counters = createCounters()

  readonly connections = new Map<string, Connection<Client>>()
  readonly idle: IdleStore<Client>
  readonly waiting: WaitQueue<Lease<Client>>
  /** Every client that the pool holds, in whatever role: to notice a driver that hands one out twice. */
  readonly clients = new Set<Client>()
  /** Replaced generations that a borrower still holds. */
  readonly retired = new Set<Generation<Client>>()

  readonly connectTimes = new RecentTimes()
  readonly checkTimes = new RecentTimes()
  readonly useTimes = new RecentTimes()

  state: PoolState = 'new'
  /** R2: clients from the start of their connect until their close has settled or timed out. */
  open = 0
  /** Connections that are neither closing nor closed, those still connecting included. */
  places = 0
  /** Of these, how many are connected. */
  size = 0
  /** Of these, how many are acquired. */
  acquired = 0
  /** Connections that are out of service while they are rebuilt. */
  rebuilding = 0
  /** How many are connected and will not serve again with the client that they have: rebuilding, or marked as urgent. */
  #leaving = 0
  /** How many borrowers a client serves at the same time. */
  readonly maxLeases: number
  /** Who has not proven itself since then is a suspect. ms of the clock. */
  suspectSince = -NEVER
  /**
   * Changes every {@link BEAT} ms while leases are handed out. Within a beat the hot path does without the
   * clock, whose reading would cost as much as all the rest of an acquire.
   */
  beat = 0
  /** The latest reading of the clock on the hot path: at most a beat old while leases are handed out. */
  lastNow: number
  /** Whether a proof within the present beat is always recent enough to serve without another look. */
  beatProves = false
  /** Uses in flight that may come back for another connection. */
  repeatable = 0
  /** The connections with a check in flight that may still end in time, the one that is being asked longest first. */
  readonly checks = new Set<Connection<Client>>()
  /** Those whose check is overdue: a proof by another connection may end it. */
  readonly overdue = new Set<Connection<Client>>()
  /** The connections whose checks have failed lately, the one that did so last at the end. */
  readonly failing = new Set<Connection<Client>>()
  /** Whether the driver is being called, or hears an abort, in the middle of a step: what it reports is heard after that. */
  calling = false
  /** Whether most connections fail their checks, so that the check or the endpoint is to blame. */
  panic = false

  readonly #pump: () => void
  #pumping = false
  /** Whether the options ask for work at each lease. */
  #watching = false

  /**
   * @param pump does all that the state of the pool calls for
   * @param expired is called with each waiter whose time is up
   */
  constructor(
    readonly driver: Driver<Client>,
    public options: ResolvedOptions,
    pump: () => void,
    expired: (waiter: Waiter<Lease<Client>>) => void,
  ) {
    const { clock } = options
    this.clock = clock
    this.lastNow = clock.now()
    this.maxLeases = driver.maxLeasesPerConnection ?? 1
    this.hold = new ProcessHold(clock)
    this.labels = { pool: options.name, protocol: driver.protocol }
    this.events = new Events(options.name, driver.protocol, () => clock.wallNow(), options.logger)
    this.idle = new IdleStore(options.idleOrder)
    this.waiting = new WaitQueue(clock, this.hold, options.acquireTimeout, expired)
    this.#pump = pump
    this.noteWatchers()
  }

  /** Whether something beside the pool itself wants to know of each lease. */
  get watched(): boolean {
    return this.#watching || this.events.leasesHeard
  }

  /** Caller has changed the options. */
  noteWatchers(): void {
    const { allowExitOnIdle, leakDetectionThreshold, metrics, verifyIdleAfter } = this.options
    this.beatProves = verifyIdleAfter >= 2 * BEAT
    this.#watching = metrics !== undefined || allowExitOnIdle || leakDetectionThreshold !== NEVER
  }

  /**
   * Something has changed: whatever follows from it is done in a microtask, when the present step is complete.
   * Calling it too often costs little; forgetting it leaves somebody waiting.
   */
  changed(): void {
    if (this.#pumping) return
    this.#pumping = true
    queueMicrotask(() => {
      this.#pumping = false
      // Of a pool that is closed nothing is left to be done, whoever still releases a lease.
      if (this.state !== 'closed') this.#pump()
    })
  }

  /** The only way in which a connection's state changes. Listeners are told by the caller, afterwards. */
  setState(connection: Connection<Client>, to: ConnectionState): void {
    const from = connection.state
    assertTransition(from, to, connection.id)
    // The two steps of every lease.
    if (to === 'acquired') this.acquired++
    else if (from === 'acquired' && to === 'idle') this.acquired--
    else this.#recount(connection, to, connection.mark)
    connection.state = to
  }

  /** The only way in which a mark is set or taken off. */
  setMark(connection: Connection<Client>, mark: Mark | undefined): void {
    this.#recount(connection, connection.state, mark)
  }

  /** The only way in which a check begins or ends. */
  setCheck(connection: Connection<Client>, check: Check<Client> | undefined): void {
    connection.check = check
    this.overdue.delete(connection)
    this.checks.delete(connection)
    if (check !== undefined) this.checks.add(connection)
  }

  /** Ends a check that nobody waits for any more. */
  abandonCheck(connection: Connection<Client>): void {
    const { check } = connection
    this.setCheck(connection, undefined)
    check?.abandon()
  }

  /** Takes in a connection that is about to be connected. */
  add(connection: Connection<Client>): void {
    this.connections.set(connection.id, connection)
    this.#count(connection, 1)
  }

  #recount(connection: Connection<Client>, state: ConnectionState, mark: Mark | undefined): void {
    this.#count(connection, -1)
    connection.state = state
    connection.mark = mark
    this.#count(connection, 1)
  }

  /** Whatever is counted is counted here, as a pool may be too large to be looked through each time. */
  #count(connection: Connection<Client>, by: 1 | -1): void {
    const { state, mark } = connection
    if (isPresent(connection)) this.size += by
    if (isPresent(connection) || state === 'connecting') this.places += by
    if (state === 'acquired') this.acquired += by
    if (state === 'rebuilding') this.rebuilding += by
    if (state === 'rebuilding' || mark?.urgent === true) this.#leaving += by
  }

  setHealth(connection: Connection<Client>, to: Health): void {
    const from = connection.health
    if (from === to) return
    connection.health = to
    this.idle.refile(connection)
    this.events.emit('healthStatusChanged', { ...this.identify(connection), from, to })
  }

  /** The connections that have been connected and are not closing. */
  *present(): Generator<Connection<Client>> {
    for (const connection of this.connections.values()) {
      if (isPresent(connection)) yield connection
    }
  }

  /** Whether the pool is closing or closed. */
  get ended(): boolean {
    return this.state === 'closing' || this.state === 'closed'
  }

  /** How many connections could serve, now or when released or checked. */
  inService(): number {
    return this.size - this.#leaving
  }

  /** Reads the clock for the hot path. */
  readClock(): number {
    this.lastNow = this.clock.now()
    return this.lastNow
  }

  /** Whether the connection has to prove itself before it may serve. */
  needsProof(generation: Generation<Client>, now: number): boolean {
    const unprovenFor = now - generation.lastProvenAt
    return (
      (unprovenFor >= this.options.verifyIdleAfter && (generation.usedSinceProof || unprovenFor >= JUST_NOW)) ||
      generation.lastProvenAt < this.suspectSince ||
      generation.checkWanted
    )
  }

  /** After how long a check is overdue, ms: then somebody else is asked beside it. */
  get overdueAfter(): number {
    return Math.max(this.options.hedgeDelay, OVERDUE_FACTOR * (this.checkTimes.usual ?? 0))
  }

  /** R4: all others must prove themselves again before they are handed out. */
  suspectAll(): void {
    this.suspectSince = this.clock.now()
    this.beat++
    this.changed()
  }

  /** Caller must have taken the connection out of whatever it was doing: it is idle, or has room for a lease. */
  makeAvailable(connection: Connection<Client>): void {
    const { current, mark } = connection
    if (current === undefined || mark?.urgent === true || current.retiredByPeer || current.evicted || current.status !== 'live') return
    if (current.leases < this.maxLeases && !current.resetting) this.idle.add(connection)
    this.changed()
  }

  classify(error: unknown): ErrorClass {
    const found = this.events.call("the driver's classify", () => this.driver.classify?.(error))
    return found === 'fatal' || found === 'application' ? found : 'transient'
  }

  /** A copy of a driver's error that may be shown. */
  copyError(error: unknown): Error {
    return copyError(error, this.#secrets())
  }

  /** A driver's text that may be shown. */
  mask(text: string): string {
    return maskSecrets(text, this.#secrets())
  }

  #secrets(): readonly string[] {
    const secrets: unknown = this.events.call("the driver's secrets", () => this.driver.secrets?.())
    return Array.isArray(secrets) ? secrets : []
  }

  /** At each lease, and at once: nothing of the pool's is under way then. */
  measureLease(method: 'acquired' | 'released', ms: number): void {
    this.events.call(`the metrics collector's ${method}`, () => this.options.metrics?.[method]?.(this.labels, ms))
  }

  /** Tells the collector after the present step, as listeners are: whatever it does to the pool is no part of the step. */
  measure<Method extends keyof MetricsCollector>(method: Method, ...values: Measurement<Method>): void {
    const { metrics } = this.options
    if (metrics === undefined) return
    this.events.later(`the metrics collector's ${method}`, () => {
      const call = metrics[method] as ((labels: MetricLabels, ...values: unknown[]) => unknown) | undefined
      return call?.call(metrics, this.labels, ...values)
    })
  }

  /** What events say of a connection, or of a generation of it that is not the present one. */
  identify(connection: Connection<Client>, generation = connection.current): { connectionId: string; generation: number } {
    return { connectionId: connection.id, generation: generation?.number ?? 0 }
  }

  /** A copy of what is known of a connection, or of a generation of it that has been replaced. */
  record(connection: Connection<Client>, generation = connection.current): ConnectionRecord {
    const wallNow = this.clock.wallNow()
    const toWall = (time: number): number => Math.round(wallNow - (this.clock.now() - time))
    // A suspect by itself has no time of proof; the last one that is certain is its connect.
    const provenAt = generation === undefined ? undefined : Math.max(generation.lastProvenAt, generation.connectedAt)
    return {
      id: connection.id,
      ...this.labels,
      generation: generation?.number ?? 0,
      state: connection.state,
      health: connection.health,
      ...(connection.mark !== undefined && { mark: { ...connection.mark } }),
      uses: generation?.uses ?? 0,
      requests: generation?.requests ?? 0,
      errors: generation?.errors ?? 0,
      createdAt: connection.createdAt,
      lastProvenAt: provenAt === undefined ? connection.createdAt : toWall(provenAt),
      ...(connection.lastRebuiltAt !== undefined && { lastRebuiltAt: toWall(connection.lastRebuiltAt) }),
      ...(generation?.lastCheckMs !== undefined && { lastCheckMs: generation.lastCheckMs }),
    }
  }
}

/** Whether the connection has been connected and is not closing. */
export function isPresent<Client>(connection: Connection<Client>): boolean {
  const { state } = connection
  return state !== 'connecting' && state !== 'closing' && state !== 'closed'
}
