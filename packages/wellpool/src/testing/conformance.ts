import type { Driver } from '../engine/driver.ts'
import { ConfigError } from '../engine/errors.ts'
import { callback, findProblems, type OptionRule, type OptionRules, show } from '../shared/option-rules.ts'
import { connectCases } from './conformance-connect.ts'
import { lifeCases } from './conformance-life.ts'
import { opinionCases } from './conformance-opinion.ts'
import { poolCases } from './conformance-pool.ts'
import { Scene } from './conformance-scene.ts'
import type { ProxyTarget } from './fault-proxy.ts'

/** Where a driver under test connects to: a {@link FaultProxy} in front of the real server. */
export interface ConformanceAddress {
  readonly host: string
  readonly port: number
}

/** What {@link driverConformance} has to know about a driver and its real server. */
export interface ConformanceOptions<Client> {
  /** Stands before the name of each case. */
  readonly name: string
  /** Where the real server listens. Asked for when a case runs. */
  readonly target: ProxyTarget
  /**
   * Makes a driver that connects to this address. Each case makes its own; one more is made when the cases are, with
   * an address on which nothing listens, to see which hooks it has.
   */
  readonly createDriver: (address: ConformanceAddress) => Driver<Client>
  /** Sends a request to the peer and fulfils with its answer. It should reject when it is given another one's: only it can know. */
  readonly request: (client: Client) => unknown

  /** Makes a driver whose credentials the server refuses; its `secrets` must know them. Without it: no cases about that. */
  readonly createRefusedDriver?: (address: ConformanceAddress) => Driver<Client>
  /** Sends a request that the peer answers with an error of the application's own. */
  readonly failingRequest?: (client: Client) => unknown
  /** Sends a request that the peer works on for a second or two: the driver's `secondOpinion` must leave it alone. */
  readonly longRequest?: (client: Client) => Promise<unknown>
  /** Makes the server end the session of this client, over another way than the client itself. */
  readonly kill?: (client: Client) => Promise<unknown>
  /** Leaves behind what `reset` has to undo; `isClean` says whether it has. */
  readonly leaveBehind?: (client: Client) => unknown
  readonly isClean?: (client: Client) => Promise<boolean>
  /** How many sessions the server has now with clients of `createDriver`. */
  readonly countSessions?: () => Promise<number>
  /** Stops the server, without a word to its clients or with one, and starts it again at the same place. */
  readonly restart?: () => Promise<void>

  /** How long things may take; only their order of magnitude matters. */
  readonly limits?: {
    /** What needs no answer from the peer: an abort, `destroy`. Default 500 ms. */
    readonly promptMs?: number
    /** From the end of a session until `watch` reports it. Default 1000 ms. */
    readonly lostMs?: number
    /** A check of a peer that is well, on a machine that is busy. Default 100 ms. */
    readonly checkMs?: number
    /** Whatever needs connects, and the pool's own recovery. Default 15,000 ms. */
    readonly patienceMs?: number
  }
  /** Is told how long things took. */
  readonly report?: (figure: string, ms: number) => void
}

/** One case: a name, and a function that rejects if the driver does not conform. */
export interface ConformanceCase {
  readonly name: string
  readonly run: () => Promise<void>
}

const milliseconds: OptionRule = {
  fits: (value) => typeof value === 'number' && value > 0 && value < 2 ** 31,
  allowed: 'a number of ms above 0',
}
const LIMITS: OptionRules<Required<ConformanceOptions<unknown>>['limits']> = {
  promptMs: milliseconds,
  lostMs: milliseconds,
  checkMs: milliseconds,
  patienceMs: milliseconds,
}

/** Not `target`: it may be known only when a case runs. */
function checkOptions<Client>(options: ConformanceOptions<Client>): void {
  const problems = findProblems(options.limits ?? {}, LIMITS, 'limits.')
  const { createDriver, request, leaveBehind, isClean } = options
  // One without the other would bring no case, without a word.
  const pair = leaveBehind === undefined && isClean === undefined ? {} : { leaveBehind, isClean }
  for (const [name, value] of Object.entries({ createDriver, request, ...pair }))
    if (!callback.fits(value)) problems.push({ path: name, given: show(value), allowed: callback.allowed })
  if (problems.length > 0) throw new ConfigError(problems)
}

/**
 * The cases that every driver has to pass against its real server: alone, and under a real pool. Each brings its
 * own proxy and driver, cleans up behind itself, and can run by itself; run them one after the other. Cases that
 * need what the options don't give are left out. They belong to no test runner: they reject with an `AssertionError`.
 *
 * @throws ConfigError when options are wrong: all that are, at once.
 * @example
 * for (const { name, run } of driverConformance({ name: 'postgres', target: { port }, createDriver, request })) test(name, run)
 */
export function driverConformance<Client>(options: ConformanceOptions<Client>): ConformanceCase[] {
  checkOptions(options)
  const cases = [...connectCases(options), ...lifeCases(options), ...opinionCases(options), ...poolCases(options)]
  return cases.map(({ name, run }) => ({
    name: `${options.name} ${name}`,
    run: async () => {
      const scene = await Scene.open(options)
      try {
        await run(scene)
      } catch (error) {
        // What else goes wrong now comes of it.
        await scene.close().catch(() => {})
        throw error
      }
      await scene.close()
    },
  }))
}
