import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { Fault, FaultScope, FlowDirection, InjectedFault, ProxyFlow } from './fault.ts'
import { FaultFlow } from './fault-flow.ts'

/** Where a {@link FaultProxy} passes its flows on to. */
export interface ProxyTarget {
  /** Default `'127.0.0.1'`. */
  readonly host?: string
  readonly port: number
}

/** How a {@link FaultProxy} is set up. */
export interface FaultProxyOptions {
  /** A number from 0 up to, not including, 1: the source of jitter and of shares. Default `Math.random`. */
  readonly random?: () => number
}

/** Ports from here up to, not including, the next are tried: below those that systems give to outgoing connections. */
const FIRST_PORT = 15_000
const LAST_PORT = 32_000

interface Rule extends InjectedFault {
  /** The flows that it is for. */
  readonly members: Set<FaultFlow>
  /** Whether it is for this new flow as well. */
  readonly takes: (flow: FaultFlow) => boolean
}

/**
 * A TCP proxy on 127.0.0.1 that stands between a client and a server and does to their flows what networks do:
 * it makes them slow, falls silent without a word, resets them, refuses them, or accepts them and never answers.
 * Faults come and go while the flows run; several in force at the same time add up.
 *
 * What it can't imitate: the proxy's own kernel acknowledges what the client sends, so TCP's retransmission
 * time-out and keep-alive probes see a living peer even when the flow is silent.
 *
 * The caller owns it and must {@link FaultProxy.close} it, or declare it with `await using`.
 *
 * @example
 * const proxy = await FaultProxy.start({ port: 5432 })
 * // … connect through proxy.port …
 * const fault = proxy.inject({ kind: 'silence' }, 'present')
 * // … what is there is silent, new connects work …
 * fault.heal()
 * await proxy.close()
 */
export class FaultProxy {
  /** The address it listens on. */
  readonly host = '127.0.0.1'
  readonly #random: () => number
  readonly #flows = new Set<FaultFlow>()
  readonly #rules = new Set<Rule>()
  readonly #watchers = new Set<() => void>()
  #target: ProxyTarget
  #server: Server | undefined
  #port = 0
  #lastId = 0
  #closed = false
  /** The end of what was asked for last: beginning to listen takes a moment, and what is asked for meanwhile comes after it. */
  #last = Promise.resolve()

  private constructor(target: ProxyTarget, options: FaultProxyOptions) {
    this.#target = checkTarget(target)
    this.#random = options.random ?? Math.random
  }

  /**
   * Listens on a free port. The target need not be there yet.
   *
   * @throws RangeError when the target's host or port is none.
   */
  static async start(target: ProxyTarget, options: FaultProxyOptions = {}): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, options)
    // A port that the system chose could be given to an outgoing connection while the proxy refuses, and then
    // it could not listen again.
    for (let tries = 0; proxy.#server === undefined; tries++) {
      const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT))
      try {
        await proxy.#listen(port)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries === 100) throw error
      }
    }
    return proxy
  }

  /** The port it listens on; the same for as long as it lives. */
  get port(): number {
    return this.#port
  }

  /**
   * Where new flows lead to. May be changed at any time, for a fail-over; flows that are present stay where they are.
   *
   * @throws RangeError when the host or the port is none.
   */
  get target(): ProxyTarget {
    return this.#target
  }

  set target(target: ProxyTarget) {
    this.#target = checkTarget(target)
  }

  /** The flows of which at least one side is still open, the oldest first. */
  flows(): ProxyFlow[] {
    return [...this.#flows].map((flow) => flow.info)
  }

  /**
   * Resolves when the flows fulfil the condition; it is looked at now and whenever something changes. Rejects with
   * the signal's reason, and with what the condition throws.
   */
  async until(condition: (flows: ProxyFlow[]) => boolean, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options
    signal?.throwIfAborted()
    if (condition(this.flows())) return
    await new Promise<void>((resolve, reject) => {
      const finish = (settle: () => void): void => {
        this.#watchers.delete(look)
        signal?.removeEventListener('abort', abort)
        settle()
      }
      const look = (): void => {
        try {
          if (condition(this.flows())) finish(resolve)
        } catch (error) {
          // Looked at in a socket's event, it would end the process.
          finish(() => reject(error))
        }
      }
      const abort = (): void => finish(() => reject(signal?.reason))
      this.#watchers.add(look)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /**
   * Does this to those flows, from now until it is healed.
   *
   * @param scope Default `'all'`.
   * @throws RangeError when the fault or the scope is none that there is, or a number of it makes no sense.
   */
  inject(fault: Fault, scope: FaultScope = 'all'): InjectedFault {
    checkFault(fault, scope)
    const rule: Rule = {
      fault,
      members: new Set(this.#choosePresent(scope)),
      takes: (flow) => this.#takesNew(scope, flow),
      heal: () => {
        if (!this.#rules.delete(rule)) return
        for (const flow of rule.members) this.#apply(flow)
      },
    }
    this.#rules.add(rule)
    for (const flow of rule.members) this.#apply(flow)
    return rule
  }

  /** Refuses new connects, as a host does on which nothing listens. Present flows go on. Resolves when it is so. */
  refuse(): Promise<void> {
    return this.#inTurn(async () => {
      // Not awaited: the server's 'close' event waits for its flows.
      this.#server?.close()
      this.#server = undefined
    })
  }

  /** Heals all faults and accepts connects again. Resolves when it does. */
  async heal(): Promise<void> {
    for (const rule of this.#rules) rule.heal()
    await this.#inTurn(async () => {
      if (this.#server === undefined && !this.#closed) await this.#listen(this.#port)
    })
  }

  /** Stops listening and closes all flows. Nothing is left when it resolves. Doing it twice does no harm. */
  async close(): Promise<void> {
    this.#closed = true
    await this.refuse()
    for (const flow of this.#flows) flow.destroy()
    await this.until((flows) => flows.length === 0)
    this.#rules.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    const done = this.#last.then(task)
    this.#last = done.catch(() => {})
    return done
  }

  async #listen(port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client))
    server.listen(port, this.host)
    await once(server, 'listening')
    this.#server = server
    this.#port = port
  }

  #accept(client: Socket): void {
    const target = { host: this.#target.host ?? '127.0.0.1', port: this.#target.port }
    const flow = new FaultFlow(++this.#lastId, client, target, this.#random, () => this.#changed(flow))
    this.#flows.add(flow)
    for (const rule of this.#rules) if (rule.takes(flow)) rule.members.add(flow)
    this.#apply(flow)
    this.#changed(flow)
  }

  #apply(flow: FaultFlow): void {
    const faults = [...this.#rules].filter(({ members }) => members.has(flow)).map(({ fault }) => fault)
    if (faults.some(({ kind }) => kind === 'reset')) flow.reset()
    else flow.setFaults(faults)
  }

  #changed(flow: FaultFlow): void {
    if (flow.over) {
      this.#flows.delete(flow)
      for (const { members } of this.#rules) members.delete(flow)
    }
    for (const look of [...this.#watchers]) look()
  }

  #choosePresent(scope: FaultScope): FaultFlow[] {
    const flows = [...this.#flows]
    if (scope === 'new') return []
    if (typeof scope === 'string') return flows
    if (typeof scope === 'function') return flows.filter(({ info }) => scope(info))
    if ('id' in scope) return flows.filter(({ id }) => id === scope.id)
    if (scope.of === 'new') return []
    const wanted = Math.round(scope.share * flows.length)
    return flows
      .map((flow) => ({ flow, rank: this.#random() }))
      .sort((a, b) => a.rank - b.rank)
      .slice(0, wanted)
      .map(({ flow }) => flow)
  }

  #takesNew(scope: FaultScope, flow: FaultFlow): boolean {
    if (typeof scope === 'string') return scope !== 'present'
    if (typeof scope === 'function') return scope(flow.info)
    if ('id' in scope) return false
    return scope.of !== 'present' && this.#random() < scope.share
  }
}

const KINDS: readonly Fault['kind'][] = ['latency', 'silence', 'unanswered', 'bandwidth', 'reset']
const DIRECTIONS: readonly FlowDirection[] = ['to-server', 'to-client']
const FLOWS = ['all', 'present', 'new'] as const

function checkTarget(target: ProxyTarget): ProxyTarget {
  const { host = '127.0.0.1', port } = target ?? {}
  need(typeof host === 'string' && host !== '', 'target.host', host, 'a text that is not empty')
  need(Number.isInteger(port) && port > 0 && port < 65_536, 'target.port', port, 'a whole number from 1 to 65535')
  return target
}

/** What is misspelt would do nothing, or something else, and the test would pass. */
function checkFault(fault: Fault, scope: FaultScope): void {
  needOneOf(KINDS, 'kind', fault?.kind)
  if ('direction' in fault && fault.direction !== undefined) needOneOf(DIRECTIONS, 'direction', fault.direction)
  if (fault.kind === 'latency') {
    need(isDelay(fault.ms), 'latency.ms', fault.ms, 'a number of ms from 0')
    need(isDelay(fault.jitter ?? 0), 'latency.jitter', fault.jitter, 'a number of ms from 0')
  }
  if (fault.kind === 'bandwidth') {
    const { bytesPerSecond } = fault
    need(typeof bytesPerSecond === 'number' && bytesPerSecond > 0, 'bandwidth.bytesPerSecond', bytesPerSecond, 'a number above 0')
  }
  if (typeof scope === 'function') return
  if (typeof scope === 'string') needOneOf(FLOWS, 'scope', scope)
  else if (scope !== null && 'share' in scope) {
    const { share } = scope
    need(typeof share === 'number' && share >= 0 && share <= 1, 'share', share, 'a number from 0 to 1')
    if (scope.of !== undefined) needOneOf(FLOWS, 'of', scope.of)
  } else need(Number.isInteger(scope?.id), 'id', scope?.id, 'the id of a flow')
}

function isDelay(ms: unknown): boolean {
  return typeof ms === 'number' && ms >= 0 && ms < 2 ** 31
}

function needOneOf(allowed: readonly string[], name: string, given: unknown): void {
  need(allowed.includes(given as string), name, given, allowed.join(', '))
}

function need(fulfilled: boolean, name: string, given: unknown, allowed: string): void {
  if (!fulfilled) throw new RangeError(`${name}: got ${String(given)}, allowed is ${allowed}`)
}
