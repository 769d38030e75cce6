import {
  AcquireTimeoutError,
  CircuitOpenError,
  ConnectError,
  ConnectionLostError,
  type ConnectionRecord,
  type Lease,
  LeaseReleasedError,
  PoolClosedError,
  PoolPausedError,
  QueueFullError,
  type UseContext,
} from '../../src/index.ts'
import type { FakeClient } from '../../src/testing/index.ts'
import { PeerError } from './endpoint.ts'
import { checkHandOut, isLostMeanwhile } from './moment-rules.ts'
import type { World } from './world.ts'

/** How a borrower gives back what it borrowed. */
export type Ending = 'succeed' | 'dispose' | 'discard' | 'fail application' | 'fail transient' | 'fail fatal'

/** What a caller asks for. */
export interface CallerOptions {
  readonly signal?: AbortSignal
  readonly timeout?: number
  readonly idempotent?: boolean
}

/**
 * One borrower, from its call to its end. It believes nothing: each thing that the pool may do to it is
 * either expected at that moment or a problem.
 */
export class Caller {
  readonly name: string
  readonly calledAt: number
  /** `waiting` in the queue, `holding` a client, `done` when the pool's promise has settled and nothing is held. */
  state: 'waiting' | 'holding' | 'done' = 'waiting'
  /** The step in which it was called, and in which it was last given a client. */
  readonly calledStep: number
  grantedStep = -1
  grantedAt = 0
  attempt = 0
  /** The step in which its client was last destroyed under it. */
  lostStep = -1
  client: FakeClient | undefined
  /** What it held last. The pool may hear a little later that it was given back. */
  lastClient: FakeClient | undefined
  gaveBackStep = -1
  /** Aborted by its own signal while it waited. */
  abortedStep: number | undefined
  readonly #world: World
  readonly #waitingBefore: number
  #lease: Lease<FakeClient> | undefined
  #endUse: ((ending: Ending) => void) | undefined
  #useSignal: AbortSignal | undefined
  #outcome: { readonly value: unknown } | { readonly error: unknown } | undefined
  #lostWhileHeld = false

  constructor(
    world: World,
    number: number,
    readonly kind: 'acquire' | 'use' | 'tryAcquire',
    readonly options: CallerOptions,
  ) {
    this.#world = world
    this.name = `${kind} ${number}`
    this.calledAt = world.clock.now()
    this.calledStep = world.step
    this.#waitingBefore = world.callers.filter((caller) => caller.isWaiting).length
  }

  /** In the queue, as seen at the end of a step; an idempotent use whose client was lost is there again. */
  get isWaiting(): boolean {
    return this.state === 'waiting' || (this.state === 'holding' && this.client === undefined)
  }

  /** Waiting by what the pool knows: also when its client was destroyed under it, and it has not heard of that yet. */
  get needsConnection(): boolean {
    return this.isWaiting || (this.client?.life.destroyedAt !== undefined && this.mayRunAgain)
  }

  /** How long it waits. Who waits under the pool's usual time-out follows its changes. */
  get timeout(): number {
    return this.options.timeout ?? this.#world.options.acquireTimeout
  }

  /** Whether its function may be run once more. */
  get mayRunAgain(): boolean {
    return this.options.idempotent === true && this.attempt < this.#world.options.attempts && this.options.signal?.aborted !== true
  }

  call(): void {
    const world = this.#world
    world.note(`${this.name} is called${this.options.timeout === undefined ? '' : ` for ${this.options.timeout} ms`}`)
    const { kind, options } = this
    if (kind === 'tryAcquire') {
      const lease = world.pool.tryAcquire()
      if (lease === undefined) this.state = 'done'
      else this.#granted(lease)
      return
    }
    const { signal, timeout, idempotent } = options
    const given = { ...(signal !== undefined && { signal }), ...(timeout !== undefined && { timeout }) }
    if (kind === 'acquire') {
      const promise = world.random.chance(0.5) && Object.keys(given).length === 0 ? world.pool.acquire() : world.pool.acquire(given)
      promise.then(
        (lease) => this.#granted(lease),
        (error: unknown) => this.#refused(error),
      )
    } else {
      world.pool
        .use((client, context) => this.#run(client, context), { ...given, ...(idempotent !== undefined && { idempotent }) })
        .then(
          (value) => this.#useEnded({ value }),
          (error: unknown) => this.#useEnded({ error }),
        )
    }
  }

  /** Gives back what it holds. */
  end(ending: Ending, releaseTwice = false): void {
    const world = this.#world
    if (this.#endUse !== undefined) {
      world.note(`${this.name} ends: ${ending}`)
      this.#endUse(ending)
      return
    }
    const lease = this.#lease
    if (lease === undefined || this.client === undefined) return
    world.note(`${this.name} releases: ${ending}`)
    this.#lease = undefined
    const error = errorFor(ending)
    this.#gaveBack(this.client, ending, error)
    if (ending === 'dispose') lease[Symbol.dispose]()
    else if (ending === 'discard') lease.discard()
    else if (error === undefined) lease.release()
    else lease.release(error)
    lease[Symbol.dispose]()
    if (releaseTwice) this.#releaseAgain(lease)
  }

  /** The client of a use is taken from it when it is destroyed; looked at when a step has ended. */
  noticeLoss(): void {
    if (this.#endUse === undefined || this.client?.life.destroyedAt === undefined) return
    this.#lostWhileHeld = true
    this.#world.driver.ledger.release(this.client, this.name)
    this.client = undefined
    this.#endUse = undefined
    if (this.#useSignal?.aborted !== true) this.#world.problem(`${this.name}: its client was destroyed and its signal is not aborted`)
    this.state = 'waiting'
    this.lostStep = this.#world.step
  }

  #granted(lease: Lease<FakeClient>): void {
    this.#lease = lease
    this.#given(lease.client, lease.connection)
  }

  #given(client: FakeClient, record: ConnectionRecord | undefined): void {
    const world = this.#world
    this.noticeLoss()
    this.attempt++
    this.state = 'holding'
    this.#outcome = undefined
    this.#lostWhileHeld = false
    this.client = client
    this.grantedStep = world.step
    this.grantedAt = world.clock.now()
    world.note(`${this.name} gets client ${client.id}`)
    const held = world.holding?.()
    if (held !== undefined) world.clock.arrive(held.ms, () => this.end(held.ending))
    checkHandOut(world, this, client, record)
    world.model.of(client).uses++
    world.model.of(client).usedSinceCheck = true
    world.model.of(client).lentStep = world.step
    // One of several that were given it at the same time has found it lost before this one has heard.
    if (!isLostMeanwhile(world, client)) world.driver.ledger.lease(client, this.name)
  }

  #run(client: FakeClient, context: UseContext): unknown {
    this.#given(client, undefined)
    const world = this.#world
    const { random } = world
    if (context.attempt !== this.attempt) world.problem(`${this.name}: attempt ${context.attempt} instead of ${this.attempt}`)
    if (this.attempt > 1 && this.options.idempotent !== true) world.problem(`${this.name} runs again although it is not idempotent`)
    if (random.chance(0.05)) {
      const error = errorFor('fail transient')
      this.#ran(client, 'fail transient', { error })
      throw error
    }
    if (random.chance(0.05)) {
      this.#ran(client, 'succeed', { value: 'at once' })
      return 'at once'
    }
    // Its own signal always, as a careful function would have it; not to end it, but to hear of the loss.
    this.#useSignal = context.signal
    return new Promise((resolve, reject) => {
      this.#endUse = (ending) => {
        this.#endUse = undefined
        const error = errorFor(ending)
        if (error === undefined) {
          this.#ran(client, 'succeed', { value: client.id })
          resolve(client.id)
        } else {
          this.#ran(client, ending, { error })
          reject(error)
        }
      }
    })
  }

  /** The function of a use has settled. */
  #ran(client: FakeClient, ending: Ending, outcome: { readonly value: unknown } | { readonly error: unknown }): void {
    this.#outcome = outcome
    this.#gaveBack(client, ending, 'error' in outcome ? outcome.error : undefined)
  }

  /** The books are closed before the pool is told, because it may hand the client on at once. */
  #gaveBack(client: FakeClient, ending: Ending, error: unknown): void {
    const { driver, model } = this.#world
    driver.ledger.release(client, this.name)
    this.client = undefined
    this.lastClient = client
    this.gaveBackStep = this.#world.step
    if (this.kind !== 'use') this.state = 'done'
    if (ending === 'discard') {
      this.#world.count('discarded')
      model.of(client).evicted = true
    }
    const silent = ending === 'dispose' || ending === 'discard'
    const how = ending === 'succeed' ? 'succeeded' : silent ? 'disposed' : this.#world.meaning(error)
    model.used(client, how, this.#world.clock.now() - this.grantedAt)
  }

  #releaseAgain(lease: Lease<FakeClient>): void {
    try {
      lease.release()
      this.#world.problem(`${this.name}: a second release is accepted`)
    } catch (error) {
      if (!(error instanceof LeaseReleasedError)) this.#world.problem(`${this.name}: a second release throws ${String(error)}`)
    }
  }

  #useEnded(outcome: { readonly value: unknown } | { readonly error: unknown }): void {
    this.noticeLoss()
    this.state = 'done'
    const ran = this.#outcome
    const error = 'error' in outcome ? outcome.error : undefined
    this.#world.note(`${this.name} ${'error' in outcome ? `fails: ${nameOf(error)}` : 'is done'}`)
    if ('value' in outcome) {
      if (ran === undefined || !('value' in ran) || ran.value !== outcome.value)
        this.#world.problem(`${this.name} fulfils with something else than its function`)
    } else if (ran !== undefined && 'error' in ran && ran.error === error) {
      return
    } else if (error instanceof ConnectionLostError) {
      if (!this.#lostWhileHeld) this.#world.problem(`${this.name}: ${error.message}, but its client is not destroyed`)
    } else {
      this.#explain(error)
    }
  }

  #refused(error: unknown): void {
    this.state = 'done'
    this.#world.note(`${this.name} fails: ${nameOf(error)}`)
    this.#explain(error)
  }

  /** Whether a borrower may be refused so at this moment. */
  #explain(error: unknown): void {
    const world = this.#world
    const wrong = (why: string): void => world.problem(`${this.name} was refused with ${nameOf(error)}, but ${why}`)
    world.count(`refused: ${error instanceof Error ? error.name : 'aborted'}`)
    if (error === this.options.signal?.reason && this.options.signal?.aborted === true) return
    if (error instanceof AcquireTimeoutError) {
      const waited = world.clock.now() - this.calledAt
      if (this.attempt === 0 && waited < this.timeout - 1) wrong(`it has waited ${waited} of ${this.timeout} ms`)
      if (this.attempt === 0 && Math.abs(error.waitedMs - waited) > 1) wrong(`waitedMs is ${error.waitedMs} instead of ${waited}`)
      if ((error.verdict === 'paused') !== (world.life === 'paused'))
        wrong(`its verdict is ${error.verdict} while the pool is ${world.life}`)
      if (error.verdict === 'down' && world.model.outage.surelyNot) wrong('its verdict is down, and connects succeed')
      world.count(`verdict: ${error.verdict}`)
    } else if (error instanceof PoolClosedError) {
      if (world.life !== 'draining' && world.life !== 'closed') wrong(`the pool is ${world.life}`)
    } else if (error instanceof PoolPausedError) {
      if (world.life !== 'paused' || !world.failWaiting) wrong(`the pool is ${world.life}`)
    } else if (error instanceof QueueFullError) {
      if (this.attempt === 0 && this.#waitingBefore < world.options.maxWaiting) wrong(`${this.#waitingBefore} waited before it`)
    } else if (error instanceof CircuitOpenError) {
      if (!world.options.failFast) wrong('failFast is off')
    } else if (error instanceof ConnectError) {
      if (error.retryable || world.model.outage.surelyNot) wrong('no connect was refused for good')
    } else {
      wrong('that is no refusal')
    }
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message.replaceAll(/[\d.]+ (ms|s|min)\b|\b[\w-]+-\d+\b/g, '…')}` : String(error)
}

function errorFor(ending: Ending): Error | undefined {
  switch (ending) {
    case 'fail application':
      return new PeerError('duplicate key', 'application')
    case 'fail transient':
      return new PeerError('unexpected end of message', 'transient')
    case 'fail fatal':
      return new PeerError('terminating connection', 'fatal')
    default:
      return undefined
  }
}
