import { Backoff } from './backoff.ts'
import { Alarm, Deadline, NEVER } from './clock.ts'
import { attempt, type Closer } from './closer.ts'
import { type Connection, Generation } from './connection.ts'
import { type Core, SLOW_USE_FLOOR } from './core.ts'
import { formatMs } from './duration.ts'
import { ConnectError } from './errors.ts'
import type { BreakerState } from './records.ts'

/** What a connect is for. Waiters are counted against those that may serve them. */
export type Purpose = 'grow' | 'hedge' | 'rebuild' | 'probe' | 'opinion'

/** Somebody's need for a connect. Exactly one of `done`, `failed` and `cancelled` is called after `begin`. */
export interface Demand<Client> {
  readonly purpose: Purpose
  /** The connect begins now: names the connection that it is for. */
  begin(connect: Connect<Client>): Connection<Client>
  /** The new client is the demander's. */
  done(generation: Generation<Client>): void
  failed(error: ConnectError, fatal: boolean): void
  /** It was given up before it ended, or its client was evicted. */
  cancelled(): void
}

/** A connect in flight. */
export interface Connect<Client> {
  readonly demand: Demand<Client>
  /** Whether it began while the breaker was half-open. */
  readonly isTry: boolean
  /** ms of the clock */
  readonly startedAt: number
  /** It takes far longer than usual. */
  silent: boolean
  /** Lets go of it: the signal is aborted, and a client that arrives all the same is destroyed. */
  giveUp(): void
}

/** What the connector needs of the engine around it. */
export interface ConnectorHost<Client> {
  readonly core: Core<Client>
  readonly closer: Closer<Client>
  readonly planner: {
    /** The most important need for a connect that the limits allow now, if there is one; must not change anything. */
    next(): Demand<Client> | undefined
  }
  /** The driver reports a client as lost. */
  reportedLost(generation: Generation<Client>, error: unknown): void
  /** The peer wants a client to be replaced. */
  reportedRetired(generation: Generation<Client>, detail: string | undefined): void
}

const SLOW_CONNECT_FACTOR = 3

/** A client that ends sooner than this, and unused, has ended at once, ms. */
const AT_ONCE = 1000

/** So many clients in a row may end at once before their connects count as failed. */
const MAX_ENDED_AT_ONCE = 10

/**
 * R3: makes every connect of the pool, with one backoff. The breaker is that backoff: *closed* while connects
 * succeed, *open* while it waits for the next try, *half-open* while exactly one try is in flight.
 */
export class Connector<Client> {
  readonly #core: Core<Client>
  readonly #closer: Closer<Client>
  readonly #host: ConnectorHost<Client>
  readonly #connects = new Set<Connect<Client>>()
  /** Connects given up for their silence since one has succeeded. */
  #silent = 0
  readonly #backoff = new Backoff()
  #breaker: BreakerState = 'closed'
  #openedAt = 0
  /** Clients in a row that ended at once, and when the first of them did, ms of the clock. */
  #endedAtOnce = 0
  #rowSince = 0
  /** Until when one more belongs to that row, ms of the clock. */
  #rowUntil = 0
  /** Whether the breaker is open because of them: then a connect that was under way succeeds for nothing, as theirs did. */
  #inVain = false
  /** Connects allowed at the same time; grows again from 1 after an outage. */
  #allowance = NEVER
  /** The next try. */
  readonly #retry: Alarm
  #lastError: ConnectError | undefined
  #lastFatal = false
  /** Changes with each eviction: a client whose connect began before is discarded on arrival. */
  #epoch = 0

  constructor(host: ConnectorHost<Client>) {
    this.#host = host
    this.#core = host.core
    this.#closer = host.closer
    this.#retry = new Alarm(host.core.clock, () => host.core.changed())
  }

  get breaker(): BreakerState {
    return this.#breaker
  }

  /** Whether a connect that is needed now could begin now. */
  get mayTry(): boolean {
    return this.#breaker === 'closed' || (this.#breaker === 'open' && this.#left() <= 0)
  }

  /** Why the last connect failed, or was in vain; undefined while connects succeed. */
  get lastError(): ConnectError | undefined {
    return this.#lastError
  }

  get connects(): ReadonlySet<Connect<Client>> {
    return this.#connects
  }

  /** Gives up a connect for its silence. The next one is given twice the time. */
  giveUpSilent(connect: Connect<Client>): void {
    this.#silent++
    connect.giveUp()
  }

  /** How many connects of the given purposes are in flight. */
  count(...purposes: Purpose[]): number {
    let count = 0
    for (const { demand } of this.#connects) if (purposes.includes(demand.purpose)) count++
    return count
  }

  /** Begins the connects that are needed and allowed. */
  pump(): void {
    for (;;) {
      if (this.#breaker === 'half-open' && [...this.#connects].some(({ isTry }) => isTry)) return
      if (this.#breaker !== 'open' && this.#connects.size >= Math.min(this.#allowance, this.#core.options.maxConnecting)) return
      const demand = this.#host.planner.next()
      const left = this.#breaker === 'closed' ? 0 : this.#left()
      if (left > 0) {
        // Also with nobody in need: who waited before may have left, and a rebuild that closes first waits for this moment.
        this.#retry.set(left)
        return
      }
      if (demand === undefined) return
      if (this.#breaker !== 'closed') this.#halfOpen()
      this.#begin(demand)
    }
  }

  /** What is connecting now is stale: discarded on arrival, or given up at once. */
  evict(giveUp: boolean): void {
    this.#epoch++
    if (giveUp) this.giveUpAll()
  }

  giveUpAll(): void {
    for (const connect of [...this.#connects]) connect.giveUp()
  }

  /** Ends the wait for the next try. */
  stop(): void {
    this.#retry.clear()
  }

  #begin(demand: Demand<Client>): void {
    const core = this.#core
    const { clock, driver, options } = core
    const controller = new AbortController()
    const startedAt = clock.now()
    const epoch = this.#epoch
    const number = this.#backoff.failures + 1
    let deadline: Deadline | undefined

    /** Ends the connect for the pool; false if it had ended before. */
    const end = (): boolean => {
      deadline?.cancel()
      patience.cancel()
      return this.#connects.delete(connect)
    }
    const connect: Connect<Client> = {
      demand,
      isTry: this.#breaker === 'half-open',
      startedAt,
      silent: false,
      giveUp: () => {
        if (!end()) return
        core.open--
        controller.abort(new ConnectError('the pool needs the connect no more'))
        // The outcome of a try is not known: the next one may begin at once.
        if (connect.isTry && this.#breaker === 'half-open') this.#breaker = 'open'
        demand.cancelled()
        core.changed()
      },
    }
    const { usual = NEVER } = core.connectTimes
    const patience = new Deadline(clock, Math.max(SLOW_USE_FLOOR, SLOW_CONNECT_FACTOR * usual) * 2 ** this.#silent, () => {
      connect.silent = clock.now() - startedAt < options.connectTimeout
      core.changed()
    })
    const failed = (error: unknown): void => this.#failed(connect, connection.id, error, number, clock.now() - startedAt)
    const fail = (error: unknown): void => {
      if (!end()) return
      core.open--
      failed(error)
    }

    core.open++
    this.#connects.add(connect)
    const connection = demand.begin(connect)
    const generation = (connection.current?.number ?? 0) + 1
    deadline = new Deadline(clock, options.connectTimeout, () => {
      const error = new ConnectError(`no connection after ${formatMs(options.connectTimeout)} (connectTimeout)`)
      fail(error)
      controller.abort(error)
    })
    attempt(() => driver.connect({ signal: controller.signal, connectionId: connection.id, attempt: number })).then((client) => {
      if (!this.#connects.has(connect)) return this.#closer.destroyStray(client)
      const refused = this.#refusal(client)
      if (refused !== undefined) return fail(refused)
      end()
      // From here on it is the generation that counts in `open`, and no longer the connect.
      const arrived = new Generation(connection, generation, client, clock.now())
      core.clients.add(client)
      const broken = this.#watch(arrived)
      if (broken !== undefined || arrived.status !== 'live') {
        this.#closer.destroy(arrived)
        return failed(broken?.error ?? arrived.lostBecause ?? new Error('lost while connecting'))
      }
      this.#succeeded(arrived, clock.now() - startedAt)
      if (epoch !== this.#epoch) {
        void this.#closer.close(arrived, 'evicted')
        return demand.cancelled()
      }
      demand.done(arrived)
    }, fail)
  }

  /** Why a client can't be taken; undefined if it can. */
  #refusal(client: Client): Error | undefined {
    if (client === undefined || client === null) return new Error('the driver connected without a client')
    if (this.#core.clients.has(client)) return new Error('the driver connected with a client that the pool holds')
    return undefined
  }

  /** What `watch` threw, if it did. The watcher may be called for as long as the process lives. */
  #watch(generation: Generation<Client>): { error: unknown } | undefined {
    const { driver } = this.#core
    const lost = (error: unknown): void => this.#host.reportedLost(generation, error)
    try {
      const result: unknown = driver.watch?.(generation.client, {
        lost,
        retire: (detail) => this.#host.reportedRetired(generation, detail),
      })
      // It may have been made async, and what it rejects with would end the process.
      if (result instanceof Promise) result.catch(lost)
      return undefined
    } catch (error) {
      return { error }
    }
  }

  #succeeded(generation: Generation<Client>, connectMs: number): void {
    const core = this.#core
    core.counters.created++
    core.events.emit('connectionCreated', core.identify(generation.connection, generation))
    core.connectTimes.add(connectMs)
    core.measure('connected', connectMs)
    this.#silent = 0
    core.changed()
    if (this.#inVain) return
    this.#backoff.succeed()
    this.#lastError = undefined
    this.#lastFatal = false
    this.#allowance++
    if (this.#breaker === 'closed') return
    this.#breaker = 'closed'
    this.#retry.clear()
    core.events.emit('breakerClosed', {})
  }

  #failed(connect: Connect<Client>, connectionId: string, cause: unknown, number: number, connectMs: number): void {
    const core = this.#core
    const fatal = !(cause instanceof ConnectError) && core.classify(cause) === 'fatal'
    const copy = core.copyError(cause)
    const error = new ConnectError(
      `pool ${core.options.name} could not connect (try ${number}): ${copy.message}${fatal ? '; not retried soon' : ''}`,
      copy,
      !fatal,
    )
    core.counters.connectFailures++
    core.measure('connectFailed', connectMs)
    core.events.emit('connectFailed', { connectionId, error, attempt: number })
    this.#lastError = error
    this.#lastFatal = fatal
    // One step of the backoff for each outage or try, not for each connect that was under way.
    if (this.#breaker === 'closed' || connect.isTry) this.#open(error)
    connect.demand.failed(error, fatal)
    core.changed()
  }

  /**
   * A client is of no more use. Where more than {@link MAX_ENDED_AT_ONCE} in a row never were, their connects have failed,
   * whatever the driver says: who accepts and hangs up (a balancer with nobody behind it, a peer that sends all away again)
   * would be connected to as fast as both sides can.
   */
  ended({ connectedAt, wasOfUse }: Generation<Client>, detail: string, cause: unknown): void {
    const core = this.#core
    const now = core.clock.now()
    if (now - connectedAt > AT_ONCE || wasOfUse || this.#breaker !== 'closed') return
    if (now > this.#rowUntil || this.#isOneOfUse()) {
      this.#endedAtOnce = 0
      this.#rowSince = now
    }
    this.#rowUntil = now + 2 * AT_ONCE
    const excess = this.#endedAtOnce++ - MAX_ENDED_AT_ONCE
    if (excess < 0) return
    this.#backoff.failures = excess
    this.#lastError = new ConnectError(`pool ${core.options.name} connects in vain: ${detail}`, core.copyError(cause))
    this.#open(this.#lastError)
    this.#rowUntil += this.#delay()
    this.#inVain = true
  }

  /** Whether a client that has come since the row began fares better. */
  #isOneOfUse(): boolean {
    for (const { current } of this.#core.present()) {
      if (current !== undefined && current.connectedAt >= this.#rowSince && current.wasOfUse) return true
    }
    return false
  }

  #open(error: ConnectError): void {
    const { clock, events, options } = this.#core
    this.#backoff.fail(options.random)
    this.#breaker = 'open'
    this.#openedAt = clock.now()
    this.#allowance = 1
    events.emit('breakerOpened', { error, retryInMs: Math.round(this.#delay()) })
  }

  #halfOpen(): void {
    this.#retry.clear()
    this.#breaker = 'half-open'
    this.#inVain = false
    // Connects from before the outage was known: half-open means exactly one.
    this.giveUpAll()
    this.#core.events.emit('breakerHalfOpened', {})
  }

  /** How long the breaker stays open, ms. */
  #left(): number {
    // At least 1 ms, whatever the draw: else tries that fail at once would never let the event loop turn.
    return this.#openedAt + Math.max(1, this.#delay()) - this.#core.clock.now()
  }

  #delay(): number {
    return this.#backoff.delay(this.#core.options.backoff, this.#core.waiting.size > 0 && !this.#lastFatal)
  }
}
