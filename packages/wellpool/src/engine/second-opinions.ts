import { offAbort, onAbort } from './abort-listeners.ts'
import { Alarm, NEVER } from './clock.ts'
import type { Connection, Generation } from './connection.ts'
import type { Connector } from './connector.ts'
import { type Core, SLOW_USE_FACTOR, SLOW_USE_FLOOR } from './core.ts'
import type { CheckContext } from './driver.ts'
import { formatMs } from './duration.ts'
import type { HealthMonitor } from './health-monitor.ts'
import type { SecondOpinion } from './reason.ts'

/** The peer has to have waited for its client for longer than this many usual checks, and longer than the floor, ms. */
const GONE_FACTOR = 3
const GONE_FLOOR = 100
/**
 * The floor for what can't run again elsewhere: TCP sends a lost packet again after 200, 600 and 1400 ms. An answer that
 * comes so late is worth more than an error that comes sooner.
 */
const GONE_FLOOR_ONCE = 1500
/** When to look again at a lease about which there is nothing to ask, ms. */
const LOOK_AGAIN = 1000
/** The longest time between two questions about one lease, ms. */
const LONGEST = 30_000

/** What is needed of the engine around it. */
export interface OpinionHost<Client> {
  readonly core: Core<Client>
  readonly connector: Connector<Client>
  readonly health: HealthMonitor<Client>
  isFit(connection: Connection<Client>, now: number): boolean
  /** A client is of no more use. */
  lost(generation: Generation<Client>, detail: string, cause: unknown): void
}

/**
 * Tells long requests from dead flows. No timer can: so a lease that is silent for far longer than usual leads to
 * a question, asked over another connection, whether the peer is still at work for it. Only proof that it is not
 * condemns the client.
 *
 * The question goes over an idle connection first. If that is not answered soon, or there is none, over a new one.
 */
export class SecondOpinions<Client> {
  readonly #core: Core<Client>
  readonly #host: OpinionHost<Client>
  readonly #look: Alarm
  /** Silent, and nobody has been asked yet, or those who were are silent too. */
  readonly #unasked = new Set<Generation<Client>>()

  constructor(host: OpinionHost<Client>) {
    const { core } = host
    this.#host = host
    this.#core = core
    // After a sleep the answers of all that time are still to be read.
    this.#look = new Alarm(core.clock, () => core.clock.afterPoll(() => this.#findSilent()))
  }

  /** Leases are being handed out: sees to it that somebody looks when one has been silent for too long. */
  watch(): void {
    if (this.#core.driver.secondOpinion !== undefined && !this.#look.pending) this.#arm()
  }

  /** Whether a connection is wanted to ask over: none that is idle is of use. */
  get wanted(): boolean {
    return this.#unasked.size > 0 && this.#host.connector.count('opinion') === 0
  }

  /** Whether anybody is to be asked about now. */
  get pending(): boolean {
    // What was given back meanwhile is out of question, also if it went from hand to hand: who has it now has only begun.
    for (const generation of this.#unasked) {
      if (!isSilent(generation) || generation.inquiry?.uses !== generation.uses) this.#unasked.delete(generation)
    }
    return this.#unasked.size > 0
  }

  /** Asks over an idle connection, if one is fit. */
  pump(): void {
    if (!this.pending) return
    const other = this.#idle()
    if (other !== undefined) this.#host.health.check(other, (client, context) => this.ask(client, context))
  }

  /** Asks over a client that nobody else uses, about all that are `pending`. Rejects if it turns out to be unwell itself. */
  async ask(other: Client, { signal }: CheckContext): Promise<void> {
    const { clock, overdueAfter } = this.#core
    const subjects = [...this.#unasked]
    this.#unasked.clear()
    const questions = subjects.map((generation) => {
      const inquiry = generation.inquiry as Inquiry
      // If no answer has come by then, somebody else is asked.
      inquiry.nextAt = clock.now() + overdueAfter * 2 ** inquiry.tries++
      // A signal for each: of more than ten listeners on one Node says that they leak. And none of `AbortSignal.any`: in Node 20
      // it lives for ever once a driver has left a listener on it.
      const controller = new AbortController()
      const abort = (): void => controller.abort(signal.reason)
      onAbort(signal, abort)
      const context = { signal: controller.signal, limit: this.#limit(generation) }
      return this.#askAbout(generation, inquiry, other, context).finally(() => offAbort(signal, abort))
    })
    this.#arm()
    // All of them, whatever one says: until the last has ended the client is not free for anything else.
    const failed = (await Promise.allSettled(questions)).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }

  stop(): void {
    this.#look.clear()
    this.#unasked.clear()
  }

  async #askAbout(
    generation: Generation<Client>,
    inquiry: Inquiry,
    other: Client,
    context: CheckContext & { readonly limit: number },
  ): Promise<void> {
    const core = this.#core
    let answer: unknown
    try {
      answer = await core.driver.secondOpinion?.(generation.client, other, context)
    } catch (error) {
      if (core.classify(error) !== 'application') throw error
    }
    const opinion: SecondOpinion = answer === 'gone' || answer === 'working' ? answer : 'unknown'
    // The lease has ended meanwhile, or the pool has lost interest.
    if (generation.inquiry !== inquiry || inquiry.uses !== generation.uses || !isSilent(generation) || core.ended) return
    core.counters.secondOpinions[opinion]++
    core.measure('secondOpinion', opinion)
    const silentFor = core.clock.now() - this.#silentSince(generation)
    if (opinion === 'gone') {
      const detail = `silent for ${formatMs(silentFor)}, and asked over another connection the peer is not at work for it`
      this.#host.lost(generation, detail, new Error(detail))
      return
    }
    this.#unasked.delete(generation)
    inquiry.tries = 0
    inquiry.nextAt = core.clock.now() + Math.min(LONGEST, silentFor)
    this.#arm()
  }

  #findSilent(): void {
    const core = this.#core
    if (core.ended) return
    const now = core.clock.now()
    for (const generation of this.#leased()) {
      if (this.#askAt(generation) > now) continue
      if (generation.inquiry?.uses !== generation.uses) generation.inquiry = { uses: generation.uses, nextAt: now, tries: 0 }
      const may: unknown = core.events.call("the driver's mayAskAbout", () => core.driver.mayAskAbout?.(generation.client) ?? true)
      if (may !== false && may !== undefined) this.#unasked.add(generation)
      else generation.inquiry.nextAt = now + LOOK_AGAIN
    }
    this.#arm()
    if (this.#unasked.size > 0) core.changed()
  }

  /** Looks again when the next lease has been silent for too long. */
  #arm(): void {
    const now = this.#core.clock.now()
    let at = NEVER
    for (const generation of this.#leased()) {
      // Whether it may run again elsewhere is known a moment after it was lent.
      const soonest = this.#silentSince(generation) + this.#slowAfter
      at = Math.min(at, soonest > now ? soonest : this.#askAt(generation))
    }
    this.#look.set(Math.max(1, at - now))
  }

  *#leased(): Generator<Generation<Client>> {
    for (const { state, current } of this.#core.connections.values()) {
      if (state === 'acquired' && current !== undefined && isSilent(current) && !this.#unasked.has(current)) yield current
    }
    for (const generation of this.#core.retired) if (!this.#unasked.has(generation)) yield generation
  }

  #askAt(generation: Generation<Client>): number {
    if (generation.inquiry?.uses === generation.uses) return generation.inquiry.nextAt
    return this.#silentSince(generation) + Math.max(this.#slowAfter, this.#limit(generation))
  }

  /** After how long a lease is silent, ms. */
  get #slowAfter(): number {
    return Math.max(SLOW_USE_FLOOR, SLOW_USE_FACTOR * (this.#core.useTimes.usual ?? 0))
  }

  /** For how long the peer has to have waited before that proves the flow dead, ms. */
  #limit({ leases, repeatable }: Generation<Client>): number {
    const floor = repeatable === leases ? GONE_FLOOR : GONE_FLOOR_ONCE
    return Math.max(floor, GONE_FACTOR * (this.#core.checkTimes.usual ?? 0))
  }

  #silentSince({ connection, lastProvenAt, connectedAt }: Generation<Client>): number {
    return Math.max(connection.busySince, lastProvenAt, connectedAt)
  }

  /** The idle connection to ask over. A second try goes over a new one where that is possible. */
  #idle(): Connection<Client> | undefined {
    const core = this.#core
    const { maxConnections, rebuildMaxSurge } = core.options
    const mayConnect = core.open < maxConnections + rebuildMaxSurge && this.#host.connector.breaker === 'closed'
    if (mayConnect && [...this.#unasked].every(({ inquiry }) => (inquiry as Inquiry).tries > 0)) return undefined
    const now = core.clock.now()
    for (const connection of core.idle) {
      if (connection.state === 'idle' && this.#host.isFit(connection, now) && this.#host.health.canCheck(connection)) return connection
    }
    return undefined
  }
}

type Inquiry = NonNullable<Generation<unknown>['inquiry']>

/** Whether somebody holds the client. */
function isSilent<Client>({ leases, status }: Generation<Client>): boolean {
  return leases > 0 && (status === 'live' || status === 'retired')
}
