/** Which way bytes go through a proxy. */
export type FlowDirection = 'to-server' | 'to-client'

/**
 * What can be wrong with a flow.
 *
 * - `latency`: bytes arrive `ms` later, plus a random part of 0 to `jitter` ms. Their order stays.
 * - `silence`: nothing arrives any more, neither bytes nor FIN nor RST. What is sent meanwhile is held, and
 *   arrives when the fault is healed, as after a network partition. In one direction it makes a half-open flow.
 * - `unanswered`: like `silence` in both directions, and for a new flow the server is not contacted either:
 *   the connect succeeds and nobody answers.
 * - `bandwidth`: at most `bytesPerSecond` arrive.
 * - `reset`: both sides get an RST at once; new flows get theirs as soon as they are accepted.
 *
 * `direction` leaves the other direction as it is; without it both are meant.
 */
export type Fault =
  | { readonly kind: 'latency'; readonly ms: number; readonly jitter?: number; readonly direction?: FlowDirection }
  | { readonly kind: 'silence'; readonly direction?: FlowDirection }
  | { readonly kind: 'unanswered' }
  | { readonly kind: 'bandwidth'; readonly bytesPerSecond: number; readonly direction?: FlowDirection }
  | { readonly kind: 'reset' }

/** One TCP connection through a proxy: a copy, taken when it was asked for. */
export interface ProxyFlow {
  /** 1 for the first flow of the proxy, +1 for each after it. */
  readonly id: number
  /** The client's own port. */
  readonly clientPort: number
  /** The port from which the server sees the flow come; undefined while there is no connection to the server. */
  readonly serverSidePort: number | undefined
  /** Bytes that the client has sent, and how many of them have been passed on. */
  readonly toServer: FlowCount
  /** Bytes that the server has sent, and how many of them have been passed on. */
  readonly toClient: FlowCount
  /** Whether the client has neither ended nor reset the flow. */
  readonly clientOpen: boolean
  /** Whether the server has been reached and has neither ended nor reset the flow. */
  readonly serverOpen: boolean
}

/** The bytes of one direction. */
export interface FlowCount {
  readonly received: number
  readonly delivered: number
}

/**
 * Which flows a fault is for.
 *
 * - `'all'`: those that are present and those to come.
 * - `'present'`, `'new'`: only these.
 * - `{ id }`: one flow; what {@link FaultProxy.flows} returns fits.
 * - `{ share, of }`: this share (0 to 1) of them, chosen at random. `of` is `'all'` unless given. Of the flows that
 *   are present it is that share of their number, rounded; each new one is chosen with that probability.
 * - a function: those for which it returns true, present and new. It is asked once for each flow.
 */
export type FaultScope =
  | 'all'
  | 'present'
  | 'new'
  | { readonly id: number }
  | { readonly share: number; readonly of?: 'all' | 'present' | 'new' }
  | ((flow: ProxyFlow) => boolean)

/** What {@link FaultProxy.inject} returns. */
export interface InjectedFault {
  readonly fault: Fault
  /** Ends this fault and leaves the others. What it held back is delivered. Doing it twice does no harm. */
  heal(): void
}
