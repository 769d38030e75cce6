import type { EventName, Lease, PoolEvents, PoolOptions } from '../../src/index.ts'
import { type FakeClient, fail, hang, type Outcome, ok } from '../../src/testing/index.ts'
import { setUp, type TestPool } from '../engine/set-up.ts'

/**
 * What is done to a pool, step by step, and what it answers.
 *
 * Connections are called A, B, C in the order of their connects, so that `A2` is the second generation of the first.
 * Clients are numbered as they arrive; borrowers have names. What can be done is in {@link OPERATIONS}.
 */
export interface Scenario {
  readonly title: string
  readonly options?: PoolOptions
  readonly steps: readonly Step[]
  /** How the connections stand when all is done: `A2 idle`. */
  readonly ends: readonly string[]
}

/** One operation, and everything that follows from it before the next one: first events, then how calls have ended. */
export interface Step {
  readonly do: string
  readonly expect?: readonly string[]
}

/** Of what happens all the time only the outcome is told. */
const EVENTS = [
  'connectionCreated',
  'connectionClosed',
  'connectFailed',
  'healthCheckFailed',
  'rebuildMarked',
  'rebuildStarted',
  'rebuildCompleted',
  'rebuildFailed',
  'breakerOpened',
  'breakerHalfOpened',
  'breakerClosed',
  'poolDrained',
  'poolClosed',
] as const satisfies readonly EventName[]

/** What the driver's connect error says decides what it is. */
const classify = (error: unknown): 'fatal' | 'transient' | 'application' =>
  error instanceof Error && error.message === 'password wrong' ? 'fatal' : 'transient'

class Stage {
  readonly setup: TestPool
  readonly leases = new Map<string, Lease<FakeClient>>()
  readonly #names = new Map<string, string>()
  readonly #heard: string[] = []
  readonly #outcomes: string[] = []

  constructor(options: PoolOptions) {
    this.setup = setUp({ ...options, driver: { classify } })
    for (const name of EVENTS) this.setup.pool.on(name, (event) => this.#heard.push(this.#line(name, event)))
  }

  /** What was heard since the last call. */
  take(): string[] {
    return [...this.#heard.splice(0), ...this.#outcomes.splice(0).sort()]
  }

  /** Tells how a call ends. */
  await<Result>(name: string, call: Promise<Result>, tell: (result: Result) => string): void {
    call.then(
      (result) => this.#outcomes.push(`${name} ${tell(result)}`),
      (error: { code?: string; message: string }) => this.#outcomes.push(`${name} fails: ${error.code ?? error.message}`),
    )
  }

  connection(letter: string): string {
    const found = [...this.#letters()].find(([, name]) => name === letter)
    if (found === undefined) throw new Error(`there is no connection ${letter}`)
    return found[0]
  }

  ends(): string[] {
    return this.setup.pool.connections().map(({ id, generation, state }) => `${this.#letters().get(id)}${generation} ${state}`)
  }

  /** The connections by the order of their connects, also of those that never came. */
  #letters(): Map<string, string> {
    for (const { connectionId } of this.setup.driver.ledger.connects) {
      if (!this.#names.has(connectionId)) this.#names.set(connectionId, String.fromCharCode(65 + this.#names.size))
    }
    return this.#names
  }

  #line<Name extends EventName>(name: Name, event: PoolEvents[Name]): string {
    const { connectionId, generation, reason, urgent, stage } = event as {
      connectionId?: string
      generation?: number
      reason?: string | { kind: string }
      urgent?: boolean
      stage?: string
    }
    const where = connectionId === undefined ? '' : `${this.#letters().get(connectionId)}${generation ?? ''}`
    const why = typeof reason === 'object' ? reason.kind : reason
    return [name, where, why, urgent === true ? 'urgent' : '', stage].filter((part) => part !== undefined && part !== '').join(' ')
  }
}

/** `fails`, `fails after 5`, `succeeds after 20`, `hangs`, `is refused: password wrong`. */
function outcomeOf(text: string): Outcome {
  const after = Number(/after (\d+)/.exec(text)?.[1] ?? 1)
  if (text === 'hangs') return hang()
  if (text.startsWith('succeeds')) return ok(after)
  if (text.startsWith('fails')) return fail(new Error('failed'), after)
  const [, message] = /^is refused: (.+)$/.exec(text) ?? []
  if (message !== undefined) return fail(new Error(message), 1)
  throw new Error(`no outcome: ${text}`)
}

type Operation = (stage: Stage, ...words: string[]) => void | Promise<void>

const OPERATIONS: readonly (readonly [RegExp, Operation])[] = [
  [/^start$/, ({ setup }) => setup.start()],
  [/^wait (\d+)$/, ({ setup }, ms) => setup.clock.advance(Number(ms))],
  [/^the next (connect|check|reset|close) (.+)$/, ({ setup }, hook, how) => setup.driver.next(hook as 'connect', outcomeOf(how as string))],
  [/^every (connect|check|reset|close) (.+)$/, ({ setup }, hook, how) => setup.driver.always(hook as 'connect', outcomeOf(how as string))],
  [
    /^checks fail for the clients before (\d+)$/,
    ({ setup }, first) =>
      setup.driver.always('check', ({ client }) =>
        client !== undefined && client.id < Number(first) ? fail(new Error('failed'), 1) : ok(1),
      ),
  ],
  [/^client (\d+) is lost$/, ({ setup }, id) => setup.driver.lose(setup.client(Number(id)))],
  [/^client (\d+) asks to be replaced$/, ({ setup }, id) => setup.driver.retire(setup.client(Number(id)))],
  [
    /^(\w+) acquires$/,
    (stage, name = '') => {
      const acquiring = stage.setup.pool.acquire()
      acquiring.then(
        (lease) => stage.leases.set(name, lease),
        () => {},
      )
      stage.await(name, acquiring, ({ client }) => `gets client ${client.id}`)
    },
  ],
  [/^(\w+) releases$/, ({ leases }, name = '') => leases.get(name)?.release()],
  [
    /^rebuild ([A-Z])( urgently)?$/,
    (stage, letter = '', urgent) =>
      stage.await(
        `rebuild ${letter}`,
        stage.setup.pool.rebuildConnectionById(stage.connection(letter), { urgent: urgent !== undefined }),
        ({ success, newGeneration, stage: failedAt }) =>
          success ? `ends with generation ${newGeneration}` : `did not succeed: ${failedAt}`,
      ),
  ],
  [/^pause$/, ({ setup }) => setup.pool.pause()],
  [/^resume$/, ({ setup }) => setup.pool.resume()],
  [/^(evict|close|drain)$/, (stage, what) => stage.await(what as string, stage.setup.pool[what as 'evict'](), () => 'ends')],
  [/^evict, interrupting$/, (stage) => stage.await('evict', stage.setup.pool.evict({ interruptInUse: true }), () => 'ends')],
]

/** Plays a scenario. @returns the same with what was heard in the place of what is expected */
export async function play({ title, options, steps, ends: _ }: Scenario): Promise<Scenario> {
  const stage = new Stage(options ?? {})
  const played: Step[] = []
  for (const step of steps) {
    const found = OPERATIONS.find(([pattern]) => pattern.test(step.do))
    if (found === undefined) throw new Error(`no operation: ${step.do}`)
    const [pattern, operation] = found
    await operation(stage, ...(pattern.exec(step.do) as string[]).slice(1))
    await stage.setup.clock.settle()
    const heard = stage.take()
    played.push(heard.length === 0 ? { do: step.do } : { do: step.do, expect: heard })
  }
  return { title, ...(options !== undefined && { options }), steps: played, ends: stage.ends() }
}
