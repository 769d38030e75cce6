import type { CheckContext, ConnectContext, Driver, ErrorClass, Watcher } from '../engine/driver.ts'
import type { PoolOptions } from '../engine/options.ts'
import type { SecondOpinion } from '../engine/reason.ts'
import type { FakeClock } from './fake-clock.ts'
import { type ClientLife, Ledger } from './ledger.ts'
import { type Outcome, ok, perform } from './outcome.ts'

/** What a fake driver connects to: nothing, but it remembers its life. */
export interface FakeClient {
  /** 1 for the first client of the driver, +1 for each one after it. */
  readonly id: number
  /** The id of the pool's connection that it was made for. */
  readonly connectionId: string
  /** What has happened to it. */
  readonly life: ClientLife
}

/** The hooks of a fake driver whose calls can be scripted. */
export type FakeHook = 'connect' | 'check' | 'close' | 'destroy' | 'reset' | 'watch' | 'secondOpinion' | 'ref' | 'unref'

/** One call of a hook, for a behaviour that decides by it. */
export interface FakeCall {
  readonly hook: FakeHook
  /** Absent for `connect`. */
  readonly client?: FakeClient
  /** For `secondOpinion`: the one that is asked. */
  readonly other?: FakeClient
  /** For `connect`. */
  readonly context?: ConnectContext
  /** For `connect`, `check` and `secondOpinion`. */
  readonly signal?: AbortSignal
  /** For `watch`. */
  readonly watcher?: Watcher
}

/** What a hook does whenever its script is empty: always the same, or as the call asks for it. */
export type Behaviour = Outcome | ((call: FakeCall) => Outcome)

/** What a fake driver is like. */
export interface FakeDriverOptions {
  /** The clock that the pool runs on as well. */
  readonly clock: FakeClock
  /** Default `'fake'`. */
  readonly protocol?: string
  /** Which of the optional hooks it has. Default: `watch`, and `reset`, which returns at once. */
  readonly hooks?: readonly ('reset' | 'watch' | 'secondOpinion' | 'ref')[]
  /** How long things take, ms. Defaults: connect 5, check 1, close 1. */
  readonly connectMs?: number
  readonly checkMs?: number
  readonly closeMs?: number
  /** Default: none, so that every error is `transient`. What it throws or returns reaches the pool as it is. */
  readonly classify?: (error: unknown) => ErrorClass
  readonly secrets?: () => readonly string[]
  readonly defaults?: PoolOptions
  readonly maxLeasesPerConnection?: number
  /** Is told of every call, before its outcome is chosen. */
  readonly onCall?: (call: FakeCall) => void
  /**
   * Is told when a call that it was told of settles, before the pool can know, and with which error if it was rejected. A
   * call that hangs never does.
   */
  readonly onSettled?: (call: FakeCall, how: 'fulfilled' | 'rejected', error?: unknown) => void
}

/**
 * A driver without a peer, for tests of whatever uses a pool: every call of every hook can be scripted to
 * fulfil, reject, throw, hang, come late or lie, on a {@link FakeClock}. Its {@link Ledger} keeps the books
 * from the endpoint's side.
 *
 * @example
 * const driver = createFakeDriver({ clock })
 * driver.next('connect', fail(new Error('refused'), 5), ok(20))   // the next two connects
 * driver.always('check', (call) => (call.client?.id === 3 ? hang() : ok(1)))
 */
export interface FakeDriver extends Driver<FakeClient> {
  readonly ledger: Ledger
  /** How the next calls of the hook end, in order; after them it is as `always` says. */
  next(hook: FakeHook, ...outcomes: Outcome[]): void
  /** How the hook's calls end whenever nothing is scripted for them. Without it: well, in the driver's usual time. */
  always(hook: FakeHook, behaviour: Behaviour): void
  /** What was scripted and has not been called for, as `'connect: 2'`: a test that ends should find none. */
  undrained(): string[]
  /** Reports the client as lost, as its `watch` would. Does nothing if it was never watched. */
  lose(client: FakeClient, error?: unknown): void
  /** Reports that the client wants to be replaced, as its `watch` would. */
  retire(client: FakeClient, detail?: string): void
}

/** Makes a {@link FakeDriver}. */
export function createFakeDriver(options: FakeDriverOptions): FakeDriver {
  const { clock } = options
  const ledger = new Ledger(() => clock.now(), options.maxLeasesPerConnection ?? 1)
  const scripts = new Map<FakeHook, Outcome[]>()
  const watchers = new WeakMap<FakeClient, Watcher>()
  let issued = 0
  const returns: Outcome = { do: 'return' }
  const behaviours: Record<FakeHook, Behaviour> = {
    connect: ok(options.connectMs ?? 5),
    check: ok(options.checkMs ?? 1),
    close: ok(options.closeMs ?? 1),
    secondOpinion: ok(1, 'unknown' satisfies SecondOpinion),
    destroy: returns,
    reset: returns,
    watch: returns,
    ref: returns,
    unref: returns,
  }

  const choose = (call: FakeCall): Outcome => {
    options.onCall?.(call)
    const scripted = scripts.get(call.hook)?.shift()
    if (scripted !== undefined) return scripted
    const behaviour = behaviours[call.hook]
    return typeof behaviour === 'function' ? behaviour(call) : behaviour
  }

  const play = (call: FakeCall, fulfil: (outcome: Outcome) => unknown, rejected?: () => void): unknown => {
    const outcome = choose(call)
    return perform(clock, outcome, call.signal, {
      fulfil: () => {
        const value = fulfil(outcome)
        options.onSettled?.(call, 'fulfilled')
        return value
      },
      reject: (error) => {
        rejected?.()
        options.onSettled?.(call, 'rejected', error)
      },
    })
  }

  /** A hook that uses a client and leaves no trace in the books but that. */
  const use = (call: FakeCall & { readonly client: FakeClient }): unknown => {
    ledger.used(call.client, call.hook)
    return play(call, (outcome) => ('value' in outcome ? outcome.value : undefined))
  }

  const connect = (context: ConnectContext): Promise<FakeClient> => {
    const { connectionId, attempt, signal } = context
    const entry = ledger.connectBegun(connectionId, attempt, signal)
    const fulfil = (outcome: Outcome): unknown => {
      const kind = outcome.do === 'fulfil' ? outcome.client : undefined
      const present = kind === 'present' ? ledger.present().find(({ closeCalledAt }) => closeCalledAt === undefined)?.client : undefined
      const client = kind === undefined ? newClient(++issued, clock, connectionId, entry.givenUpAt !== undefined) : undefined
      ledger.connectSettled(entry, client)
      return client ?? present
    }
    return play({ hook: 'connect', context, signal }, fulfil, () => ledger.connectSettled(entry)) as Promise<FakeClient>
  }

  const check = (client: FakeClient, { signal }: CheckContext): unknown => {
    client.life.checks++
    return use({ hook: 'check', client, signal })
  }

  const close = (client: FakeClient): unknown => {
    ledger.closeCalled(client)
    return play(
      { hook: 'close', client },
      () => ledger.closeSettled(client, true),
      () => ledger.closeSettled(client, false),
    )
  }

  // This, `watch`, `ref` and `unref` are typed void as in the contract, but what they are scripted to return reaches the
  // pool: a promise that rejects, too, which would end the process if nobody had it.
  const destroy = (client: FakeClient): undefined => {
    ledger.destroyed(client)
    const result = play({ hook: 'destroy', client }, () => undefined)
    return result as undefined
  }

  const watch = (client: FakeClient, watcher: Watcher): undefined => {
    if (watchers.has(client)) ledger.problem(`client ${client.id} is watched twice`)
    watchers.set(client, watcher)
    return use({ hook: 'watch', client, watcher }) as undefined
  }

  const has = new Set<string>(options.hooks ?? ['watch', 'reset'])
  return {
    protocol: options.protocol ?? 'fake',
    connect,
    check,
    close,
    destroy,
    ...(has.has('reset') && { reset: (client: FakeClient) => use({ hook: 'reset', client }) }),
    ...(has.has('watch') && { watch }),
    ...(has.has('ref') && {
      ref: (client: FakeClient) => use({ hook: 'ref', client }) as undefined,
      unref: (client: FakeClient) => use({ hook: 'unref', client }) as undefined,
    }),
    ...(has.has('secondOpinion') && {
      secondOpinion: (client: FakeClient, other: FakeClient, { signal }: CheckContext) => {
        ledger.used(other, 'secondOpinion')
        return use({ hook: 'secondOpinion', client, other, signal }) as Promise<SecondOpinion>
      },
    }),
    ...(options.classify !== undefined && { classify: options.classify }),
    ...(options.secrets !== undefined && { secrets: options.secrets }),
    ...(options.defaults !== undefined && { defaults: options.defaults }),
    ...(options.maxLeasesPerConnection !== undefined && { maxLeasesPerConnection: options.maxLeasesPerConnection }),
    ledger,
    next: (hook, ...outcomes) => {
      scripts.set(hook, [...(scripts.get(hook) ?? []), ...outcomes])
    },
    always: (hook, behaviour) => {
      behaviours[hook] = behaviour
    },
    undrained: () => [...scripts].filter(([, outcomes]) => outcomes.length > 0).map(([hook, outcomes]) => `${hook}: ${outcomes.length}`),
    lose: (client, error) => watchers.get(client)?.lost(error),
    retire: (client, detail) => watchers.get(client)?.retire(detail),
  }
}

function newClient(id: number, clock: FakeClock, connectionId: string, stray: boolean): FakeClient {
  const client = { id, connectionId } as { id: number; connectionId: string; life: ClientLife }
  client.life = { client, connectedAt: clock.now(), stray, leases: new Set(), checks: 0 }
  return client
}
