import type { PoolOptions } from './options.ts'
import type { SecondOpinion } from './reason.ts'

/** What {@link Driver.connect} is given. */
export interface ConnectContext {
  /** Aborted when the attempt is given up: on `connectTimeout`, and when the pool no longer wants it. */
  readonly signal: AbortSignal
  /** The id of the pool's connection that the client is for; the same for every generation of it. */
  readonly connectionId: string
  /** 1 for the first try, +1 for each that failed in a row before it. */
  readonly attempt: number
}

/** What {@link Driver.check} is given. */
export interface CheckContext {
  /** Aborted when the pool no longer waits for the answer. */
  readonly signal: AbortSignal
}

/** How a driver reports what happens to a client without anybody asking. Both may be called at any time and often. */
export interface Watcher {
  /** The client is of no more use: its socket closed, it broke. It is destroyed and rebuilt at once. */
  lost(error?: unknown): void
  /** The client serves on but wants to be replaced: an HTTP/2 GOAWAY, an announced shutdown. `detail` is for people. */
  retire(detail?: string): void
}

/**
 * What an error of a client says about its connection.
 *
 * - `fatal`: the connection is of no more use. As a connect error: trying again soon makes it worse (a wrong password).
 * - `transient`: the connection may be broken. It is checked before it serves again.
 * - `application`: the peer answered, and the answer is an error (a duplicate key). The connection is fine.
 */
export type ErrorClass = 'fatal' | 'transient' | 'application'

/** What {@link Driver.secondOpinion} is given. */
export interface OpinionContext extends CheckContext {
  /**
   * How long a session has to have waited for its client, although a request of ours is on its way to it, before
   * that proves the flow dead, ms: longer than any round trip takes.
   */
  readonly limit: number
}

/**
 * What knows one protocol. The pool calls it; it never calls the pool, except through the {@link Watcher}.
 *
 * Any of its functions may be `async` or not, and may throw at once or reject: both mean the same. A driver
 * that does neither is bounded by the pool's time-outs.
 *
 * @typeParam Client what the application uses: a `pg.Client`, an HTTP/2 session, …
 */
export interface Driver<Client> {
  /** The protocol's name (`'postgres'`): a label in metrics, and what `rebuildConnectionsByProtocol` takes. */
  readonly protocol: string

  /**
   * Makes a client that is ready for use.
   *
   * - Resolves with the client: the pool owns it from now on and closes or destroys it exactly once.
   * - Rejects or throws: the attempt failed, and nothing must be left of it. {@link Driver.classify} says whether it is `fatal`.
   * - `signal` aborts: the driver should let go of its socket and reject. A client that arrives all the same is destroyed.
   * - Resolves with a client that the pool holds already, or with none: refused as a failed attempt.
   */
  connect(context: ConnectContext): Promise<Client>

  /**
   * Asks the peer for a sign of life: a full round trip, not a look at the socket.
   *
   * - Fulfils: healthy, or degraded if it took longer than `degradedThreshold`.
   * - Rejects or throws: one failure more in the run, or the end of the client when {@link Driver.classify} calls the error
   *   `fatal`. A peer that is silent has not answered: leave the time-out to the pool, which takes any other rejection for a
   *   sign of life when most connections fail.
   * - Settles after `healthCheckTimeout` or never: a failure; until it settles the client does not serve.
   */
  check(client: Client, context: CheckContext): unknown

  /**
   * Says goodbye to the peer and frees the client. If that fails or takes longer than `closeTimeout`,
   * {@link Driver.destroy} follows.
   */
  close(client: Client): unknown

  /** Frees the client at once, without asking the peer. Must not throw (what it throws is logged and ignored). */
  destroy(client: Client): void

  /**
   * Brings a client back into the state that `connect` left it in, after the last of its leases was released.
   * Return nothing when there is nothing to do: a promise costs the next borrower a turn of the event loop.
   *
   * - Returns or fulfils: the client serves again.
   * - Rejects, throws, or takes longer than `resetTimeout`: the connection is rebuilt (`reset_failed`).
   */
  reset?(client: Client): unknown

  /** Called once for each client after its connect. A `watch` that throws fails the connect. */
  watch?(client: Client, watcher: Watcher): void

  /** With `allowExitOnIdle`: makes the client hold the process open, called when it is borrowed. */
  ref?(client: Client): void

  /** With `allowExitOnIdle`: lets the process end although the client is open, called when it becomes idle. */
  unref?(client: Client): void

  /**
   * Asks over `other`, which nobody else uses, whether the peer is still at work for `client`, which somebody waits
   * for; of several such clients it is asked at the same time. No time-out can tell a long request from a dead flow; the peer can.
   *
   * - `gone`: it has been proven that no answer will come. A request is in flight; `other` leads to the very server
   *   that `client` was connected to; and there the session is over, or has waited for its client for longer than
   *   `limit`, with nothing heard from it here meanwhile either. The client is destroyed, and its borrower hears so.
   * - `working`: the peer works for it, or waits for what the borrower does next.
   * - `unknown`, anything else, or an error classified `application`: nothing was proven. It is asked again later.
   * - Rejects with another error, or settles after `healthCheckTimeout`: `other` itself has failed a check.
   */
  secondOpinion?(client: Client, other: Client, context: OpinionContext): Promise<SecondOpinion>

  /**
   * Whether a second opinion may tell anything now: a request is in flight, and it is known whom to ask about it. It
   * spares connections that would be made to ask for nothing. Must be quick. Without this hook: always.
   */
  mayAskAbout?(client: Client): boolean

  /** Says what an error means. Without it every error is `transient`. */
  classify?(error: unknown): ErrorClass

  /** Texts (passwords, tokens) that must never be seen. They are masked in every error that the pool passes on. */
  secrets?(): readonly string[]

  /** Option values that suit this protocol better than the built-in defaults; the user's own win over them. */
  readonly defaults?: PoolOptions

  /** How many borrowers a client serves at the same time (HTTP/2 streams, channels). 1 unless given; a whole number ≥ 1, or Infinity. */
  readonly maxLeasesPerConnection?: number
}

/**
 * Returns the driver that it is given. It is there for TypeScript, which infers `Client` from `connect`
 * and types the other hooks with it.
 *
 * @example
 * const driver = defineDriver({
 *   protocol: 'echo',
 *   connect: ({ signal }) => connectSocket(signal),
 *   check: (socket) => ping(socket),
 *   close: (socket) => socket.end(),
 *   destroy: (socket) => socket.destroy(),
 * })
 */
export function defineDriver<Client>(driver: Driver<Client>): Driver<Client> {
  return driver
}
