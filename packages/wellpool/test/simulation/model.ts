import type { ErrorClass } from '../../src/index.ts'
import type { FakeCall, FakeClient, FakeClock, Ledger } from '../../src/testing/index.ts'
import { ClientModel } from './client-model.ts'
import { Outage } from './outage.ts'
import type { SimulatedOptions } from './random-options.ts'

/** The questions about others that one client is asked at the same time: all together are a check of it. */
interface Round {
  /** Those that have not settled. */
  readonly calls: Set<FakeCall>
  /** What they were rejected with, in the order in which they were asked. */
  readonly errors: Map<FakeCall, unknown>
}

/** What the endpoint has said when it was asked about a client. */
export interface Opinions {
  /** The answer that a call fulfils with. */
  answer(call: FakeCall): unknown
  /** What an error says of who was asked. The application's own says nothing against it. */
  meaning(error: unknown): ErrorClass
}

/**
 * What an attentive bystander knows of the pool: only from the calls that it makes to its driver, and from what
 * its callers see. The pool's own figures are never asked here.
 */
export class Model {
  readonly byConnection = new Map<string, ClientModel[]>()
  readonly outage = new Outage()
  /** Whoever has last proven itself before this is a suspect. */
  suspectAt = Number.NEGATIVE_INFINITY
  /** Whoever has last proven itself before this may be one: not everything that the pool notices can be seen. */
  maybeSuspectAt = Number.NEGATIVE_INFINITY
  /** As it was when the step began. */
  suspectBefore = Number.NEGATIVE_INFINITY
  /** Checks that have ended for the pool: with an answer, or by their time-out. */
  checksEnded = 0
  /** Checks that were given up when their time was up: because of that or, after a sleep, for some other reason. */
  checksMaybeEnded = 0
  /** Connects in flight that have not been given up. */
  readonly connecting = new Set<FakeCall>()
  /** Connects that were in flight when the pool was told to evict: what they bring is stale on arrival. */
  readonly stale = new WeakSet<FakeCall>()
  /** Clients and connects that must not be given up in this step: they take the place of one that was lost. */
  readonly kept: { readonly clients: ClientModel[]; readonly connects: FakeCall[] } = { clients: [], connects: [] }
  /** Clients whose check was given up in this step although its answer had come in. */
  readonly answered: ClientModel[] = []
  /** The longest that a successful connect has taken. */
  longestConnect = 0
  /** The step in which an overdue check last ended: in the midst of it the pool may still have waited. */
  overdueStep = -1
  lastConnectEndedAt = 0
  /** Whether the pool says that it panics; set after each step. A rejected check then proves its connection. */
  panic = false
  /** Of whoever is still known to somebody: a run may last for months. */
  readonly #models = new WeakMap<FakeClient, ClientModel>()
  readonly #clock: FakeClock
  readonly #ledger: Ledger
  readonly #options: () => SimulatedOptions
  readonly #step: () => number
  readonly #watched: boolean
  readonly #begunAt = new WeakMap<FakeCall, number>()
  readonly #timeouts = new WeakMap<FakeCall, number>()
  readonly #rounds = new Map<FakeClient, Round>()
  /** How often a client had been used when it was asked about. */
  readonly #usesThen = new WeakMap<FakeCall, number>()
  readonly #opinions: Opinions
  #registered = 0

  constructor(clock: FakeClock, ledger: Ledger, options: () => SimulatedOptions, step: () => number, watched: boolean, opinions: Opinions) {
    this.#opinions = opinions
    this.#clock = clock
    this.#ledger = ledger
    this.#options = options
    this.#step = step
    this.#watched = watched
  }

  of(client: FakeClient): ClientModel {
    const found = this.#models.get(client)
    if (found === undefined) throw new Error(`the model does not know client ${client.id}`)
    return found
  }

  /** All clients that there have been, without those that are forgotten. */
  known(): ClientModel[] {
    return this.#ledger.clients.map(({ client }) => this.of(client))
  }

  /** Forgets the clients that have ended. */
  forgetEnded(): void {
    this.#ledger.forgetEnded()
    this.#registered = this.#ledger.clients.length
    for (const [id, models] of this.byConnection) {
      // The latest one may still be about to become its connection's.
      const left = models.filter((model) => !model.ended || model.role === 'current' || model === models.at(-1))
      this.byConnection.set(id, left)
    }
  }

  /** The clients that have not ended. */
  present(): ClientModel[] {
    return this.#ledger.present().map(({ client }) => this.of(client))
  }

  /** How long ago the call began. */
  ageOf(call: FakeCall): number {
    return this.#clock.now() - (this.#begunAt.get(call) ?? this.#clock.now())
  }

  called(call: FakeCall): void {
    const now = this.#clock.now()
    this.#begunAt.set(call, now)
    switch (call.hook) {
      case 'connect':
        this.connecting.add(call)
        this.#timeouts.set(call, this.#options().connectTimeout)
        call.signal?.addEventListener('abort', () => this.#connectAborted(call), { once: true })
        break
      case 'check': {
        const client = this.of(call.client as FakeClient)
        client.checks.add(call)
        this.#timeouts.set(call, this.#options().healthCheckTimeout)
        call.signal?.addEventListener('abort', () => this.#checkAborted(client, call), { once: true })
        break
      }
      case 'secondOpinion':
        this.#asked(call)
        break
      case 'reset':
        this.of(call.client as FakeClient).resets.add(call)
        break
      case 'destroy':
        if (this.of(call.client as FakeClient).isSilent) this.maybeSuspect()
        break
      default:
    }
  }

  settled(call: FakeCall, how: 'fulfilled' | 'rejected', error: unknown): void {
    switch (call.hook) {
      case 'connect':
        this.#connectSettled(call, how)
        break
      case 'watch':
        this.#watchEnded(this.of(call.client as FakeClient), how)
        break
      case 'check':
        this.#checkSettled(this.of(call.client as FakeClient), call, how, error)
        break
      case 'secondOpinion':
        this.#answered(call, how, error)
        break
      case 'reset':
        this.of(call.client as FakeClient).resets.delete(call)
        this.of(call.client as FakeClient).idleSince = this.#clock.now()
        break
      default:
    }
  }

  /** The driver is about to report the client as lost. */
  losing(client: FakeClient): void {
    const model = this.of(client)
    model.lost = true
    if (!model.live) return
    this.#condemn(model)
    if (model.role === 'current') this.#expectSuccessor(client)
    if (model.role === 'current' && !model.retireReported) this.suspect()
    else this.maybeSuspect()
  }

  /** The driver is about to report that the peer wants the client to be replaced. */
  retiring(client: FakeClient): void {
    const model = this.of(client)
    model.retireReported = true
    this.ended(model)
  }

  #condemn(model: ClientModel): void {
    model.condemn(this.#clock.now())
    this.ended(model)
  }

  /** A client is of no more use, and may never have been. */
  ended({ client }: ClientModel): void {
    this.outage.ended(client.life.connectedAt, this.#clock.now(), this.#options().backoff.max)
  }

  /** What is under way to take the place of a client that is lost has to be kept. */
  #expectSuccessor({ connectionId }: FakeClient): void {
    for (const model of this.byConnection.get(connectionId) ?? []) if (model.role === 'new' && model.live) this.kept.clients.push(model)
    for (const call of this.connecting) if (call.context?.connectionId === connectionId) this.kept.connects.push(call)
  }

  /** A borrower gives the client back: how its use went, as the driver's `classify` sees it. */
  used(client: FakeClient, how: 'succeeded' | 'disposed' | 'fatal' | 'transient' | 'application', useMs: number): void {
    const model = this.of(client)
    const now = this.#clock.now()
    model.idleSince = now
    if (useMs > 249) {
      model.mayWantCheck = true
      model.mayWantCheckAt = now
    }
    if (how === 'disposed' || !model.live) return
    model.requests++
    if (how === 'succeeded' || how === 'application') {
      model.provenAt = now
      model.provenStep = this.#step()
      model.doubt = undefined
      model.failures = 0
      return
    }
    model.errors++
    // Of two uses that end in one step, the pool may hear in another order.
    if (model.provenStep === this.#step()) model.mayWantCheck = true
    else {
      model.doubt = 'use failed'
      model.doubtStep = this.#step()
    }
    if (how !== 'fatal') return
    this.#condemn(model)
    if (model.role !== 'old') this.suspect()
  }

  /** After a step. A check whose failure began a panic proves its connection, and makes nobody a suspect. */
  stepEnded(panic: boolean): void {
    if (panic && !this.panic) this.suspectAt = this.suspectBefore
    const changed = panic !== this.panic
    this.panic = panic
    if (changed) {
      this.maybeSuspect()
      for (const model of this.present()) {
        if (model.failedStep !== this.#step() || model.doubt !== (panic ? 'check rejected' : undefined)) continue
        model.doubt = panic ? undefined : 'check rejected'
        if (!panic) continue
        this.#provenByCheck(model)
        // If it was not the last to fail in this step, its failure came before the panic, and it has to prove itself.
        model.mayWantCheck = true
      }
    }
    this.suspectBefore = this.suspectAt
    if (this.present().some(({ isSilent }) => isSilent)) this.maybeSuspect()
  }

  /** From now on every connection has to prove itself again. */
  suspect(since = this.#clock.now()): void {
    this.suspectAt = Math.max(this.suspectAt, since)
    this.maybeSuspect()
  }

  /** The pool may have found a reason to ask for proof. */
  maybeSuspect(): void {
    this.maybeSuspectAt = this.#clock.now()
  }

  /** Whether the client could certainly serve without a check. */
  isProven(model: ClientModel): boolean {
    const { verifyIdleAfter } = this.#options()
    return (
      model.doubt === undefined &&
      !model.mayWantCheck &&
      model.provenAt >= this.maybeSuspectAt &&
      this.#clock.now() - model.provenAt < verifyIdleAfter
    )
  }

  #connectSettled(call: FakeCall, how: 'fulfilled' | 'rejected'): void {
    const inTime = this.connecting.delete(call)
    const age = this.ageOf(call)
    const { clients } = this.#ledger
    let arrived: ClientModel | undefined
    for (; this.#registered < clients.length; this.#registered++) {
      const { client } = clients[this.#registered] as { client: FakeClient }
      arrived = new ClientModel(client, this.#clock.now(), this.#clock.now() - age)
      arrived.evicted = this.stale.has(call)
      this.#models.set(client, arrived)
      // A stray belongs to no connection.
      if (client.life.stray) continue
      this.byConnection.set(client.connectionId, [...(this.byConnection.get(client.connectionId) ?? []), arrived])
    }
    if (!inTime) return
    this.lastConnectEndedAt = this.#clock.now()
    if (how === 'rejected' || arrived === undefined) {
      const before = { ...this.outage }
      this.#connectFailed()
      // Given up before the pool has heard of it, in one step: to the pool it has not failed.
      call.signal?.addEventListener('abort', () => Object.assign(this.outage, before), { once: true })
    } else {
      this.longestConnect = Math.max(this.longestConnect, age)
      if (!this.#watched) this.outage.succeeded(arrived.connectBegunAt)
    }
  }

  /** With `watch`, a connect has only succeeded when that has neither thrown nor reported a loss. */
  #watchEnded(model: ClientModel, how: 'fulfilled' | 'rejected'): void {
    if (how === 'rejected' || model.lost) this.#connectFailed()
    else this.outage.succeeded(model.connectBegunAt)
  }

  #connectAborted(call: FakeCall): void {
    if (!this.connecting.delete(call)) return
    this.lastConnectEndedAt = this.#clock.now()
    // Given up for another reason than the time-out, it says nothing about the endpoint.
    if (!this.#timedOut(call)) return
    if (String(call.signal?.reason).includes('connectTimeout')) this.#connectFailed()
    // Several reasons have come true at once.
    else this.outage.uncertain = true
  }

  #connectFailed(): void {
    const { outage } = this
    outage.failures++
    outage.uncertain = false
    outage.failedAt = this.#clock.now()
    outage.failedStep = this.#step()
    outage.successes = 0
  }

  #checkSettled(model: ClientModel, call: FakeCall, how: 'fulfilled' | 'rejected', error: unknown): void {
    model.checks.delete(call)
    model.checkEndedAt = this.#clock.now()
    if (this.ageOf(call) >= this.#options().hedgeDelay) this.overdueStep = this.#step()
    // What the pool no longer waits for proves nothing, one way or the other.
    if (call.signal?.aborted === true) return
    this.checksEnded++
    // Given up before the pool has heard the answer, in one step: to the pool it says nothing about others.
    const before = this.suspectAt
    let condemned = false
    const unheard = (): void => {
      this.checksEnded--
      this.suspectAt = before
      if (condemned) model.pardon()
    }
    call.signal?.addEventListener('abort', unheard, { once: true })
    if (how === 'fulfilled') this.#checkPassed(model, this.ageOf(call))
    else condemned = this.#checkRejected(model, error)
  }

  #checkPassed(model: ClientModel, age: number): void {
    this.#provenByCheck(model)
    model.doubt = undefined
    model.failures = 0
    model.countedAt = Number.NEGATIVE_INFINITY
    model.passedChecks++
    if (model.mayWantCheckAt < this.#clock.now() - age) model.mayWantCheck = false
  }

  #asked(call: FakeCall): void {
    const asked = call.other as FakeClient
    this.#usesThen.set(call, this.of(call.client as FakeClient).uses)
    this.#timeouts.set(call, this.#options().healthCheckTimeout)
    this.of(asked).checks.add(call)
    let round = this.#rounds.get(asked)
    if (round === undefined) {
      round = { calls: new Set(), errors: new Map() }
      this.#rounds.set(asked, round)
    }
    round.calls.add(call)
    round.errors.set(call, undefined)
    call.signal?.addEventListener('abort', () => this.#askingEnded(asked, round, call), { once: true })
  }

  /** Nobody waits for the answers any more. */
  #askingEnded(asked: FakeClient, round: Round, call: FakeCall): void {
    if (this.#rounds.get(asked) !== round) return
    this.#rounds.delete(asked)
    if (this.#timedOut(call)) this.#checkFailed(this.of(asked), 'check timed out')
  }

  #answered(call: FakeCall, how: 'fulfilled' | 'rejected', error: unknown): void {
    const asked = call.other as FakeClient
    const model = this.of(asked)
    model.checks.delete(call)
    model.checkEndedAt = this.#clock.now()
    if (this.ageOf(call) >= this.#options().hedgeDelay) this.overdueStep = this.#step()
    if (how === 'fulfilled') this.#heardAbout(this.of(call.client as FakeClient), call)
    const round = this.#rounds.get(asked)
    if (round?.calls.delete(call) !== true) return
    if (how === 'fulfilled' || this.#opinions.meaning(error) === 'application') round.errors.delete(call)
    else round.errors.set(call, error)
    // The first may be answered before the next is asked.
    queueMicrotask(() => {
      if (round.calls.size > 0 || this.#rounds.get(asked) !== round) return
      this.#rounds.delete(asked)
      if (round.errors.size > 0) this.#checkRejected(model, [...round.errors.values()][0])
      else this.#checkPassed(model, this.ageOf(call))
    })
  }

  #heardAbout(model: ClientModel, call: FakeCall): void {
    if (this.#opinions.answer(call) !== 'gone' || !model.live || model.client.life.leases.size === 0) return
    if (model.uses !== this.#usesThen.get(call)) return
    model.goneStep = this.#step()
    this.maybeSuspect()
    this.ended(model)
  }

  #checkAborted(model: ClientModel, call: FakeCall): void {
    if (!model.checks.has(call)) return
    if (!this.#timedOut(call)) return
    if (String(call.signal?.reason).includes('took longer')) {
      this.checksEnded++
      this.#checkFailed(model, 'check timed out')
    } else {
      // For another reason in the same step: what was due is not heard of any more, or has just been.
      this.checksMaybeEnded++
      model.doubt = 'check timed out'
      model.doubtStep = this.#step()
      this.maybeSuspect()
    }
  }

  #provenByCheck(model: ClientModel): void {
    model.provenAt = this.#clock.now()
    model.checkedAt = model.provenAt
    model.usedSinceCheck = false
  }

  /** Whether the call is as old as its time-out. A timer of Node's may be a millisecond early. */
  #timedOut(call: FakeCall): boolean {
    return this.ageOf(call) >= (this.#timeouts.get(call) ?? Number.POSITIVE_INFINITY) - 1
  }

  /** @returns whether that is the end of the client: its error is fatal */
  #checkRejected(model: ClientModel, error: unknown): boolean {
    if (this.#opinions.meaning(error) !== 'fatal') {
      this.#checkFailed(model, 'check rejected')
      return false
    }
    if (!model.live) return false
    this.#condemn(model)
    if (model.role === 'current') this.suspect()
    else this.maybeSuspect()
    return true
  }

  #checkFailed(model: ClientModel, doubt: 'check rejected' | 'check timed out'): void {
    const now = this.#clock.now()
    const { healthRecheckInterval } = this.#options()
    const sinceCounted = now - model.countedAt
    // A timer's millisecond decides.
    if (sinceCounted >= healthRecheckInterval - 1.001) model.countedAt = now
    const isNews = sinceCounted >= healthRecheckInterval
    if (isNews) model.failures++
    model.failedAt = now
    model.failedStep = this.#step()
    if (this.panic && doubt === 'check rejected') {
      this.#provenByCheck(model)
      model.doubt = undefined
      return
    }
    model.doubt = doubt
    model.doubtStep = this.#step()
    if (isNews && model.role === 'current' && !this.panic) this.suspect()
    else this.maybeSuspect()
  }
}
