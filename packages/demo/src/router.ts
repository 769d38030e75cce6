import type { Pool, Pools } from 'wellpool'
import { type SshCliSession, ssh } from 'wellpool/ssh'
import { type Device, startDevice } from 'wellpool/testing/devices'
import { Load } from './load.ts'
import { COMMANDS_PER_SECOND, DEADLINE_MS, ROUTER_POOL_OPTIONS, ROUTER_SESSION_LIMIT } from './settings.ts'
import type { Snapshot } from './snapshot.ts'
import { Tally } from './tally.ts'

const COMMAND = 'show clock'

/** Starts the router; nothing of it outlives the process. */
export async function startRouter(): Promise<Device> {
  return startDevice({ platform: 'cisco_iosxe', hostname: 'router-1', sessionLimit: ROUTER_SESSION_LIMIT })
}

/** The second endpoint: a router with a CLI and few sessions, and an application that sends it commands. */
export class Router {
  /** For people: what it is. */
  readonly label = 'router, simulated Cisco IOS XE over SSH'
  readonly device: Device
  readonly pool: Pool<SshCliSession>
  readonly tally: Tally
  readonly #load: Load
  readonly #broken: (rule: string) => void

  /**
   * @param device the caller's, who closes it after this
   * @param pools the router's pool is added to them
   * @param excused see {@link Tally}
   * @param broken is told of each rule that was broken
   */
  constructor(device: Device, pools: Pools, excused: (from: number, to: number) => number, broken: (rule: string) => void) {
    this.device = device
    this.#broken = broken
    this.tally = new Tally(excused)
    const { host, port, fingerprint, platform } = device
    const driver = ssh({ host, port, username: 'admin', password: 'admin', hostKey: fingerprint, cli: { platform } })
    const { name, ...options } = ROUTER_POOL_OPTIONS
    this.pool = pools.add(name, driver, options)
    this.#load = new Load(COMMANDS_PER_SECOND, this.tally, ({ due }) => this.#command(due))
  }

  begin(): void {
    this.#load.start()
  }

  /** What a picture needs of it; latencies are those of the last `spanMs`. */
  snapshot(spanMs: number, now: number): Snapshot['router'] {
    return {
      label: this.label,
      sessions: this.device.sessions.length,
      sessionLimit: ROUTER_SESSION_LIMIT,
      connections: this.pool.connections(),
      requests: this.tally,
      latency: this.tally.latency(spanMs, now),
    }
  }

  /** Looks at what must always hold; to be called often. */
  look(): void {
    const most = ROUTER_POOL_OPTIONS.maxConnections
    if (this.device.mostSessions > most) this.#broken(`the router saw more than ${most} sessions`)
  }

  /** Makes no more requests and waits for those under way, `limitMs` at most. @returns how many have not been settled */
  async end(limitMs: number): Promise<number> {
    this.#load.stop()
    return this.#load.settled(limitMs)
  }

  async #command(due: number): Promise<void> {
    const timeout = Math.max(0, DEADLINE_MS - (performance.now() - due))
    const output = await this.pool.use((session) => session.cli.send(COMMAND), { idempotent: true, timeout })
    if (!/\d\d:\d\d:\d\d/.test(output)) this.#broken('an answer of the router belonged to another command')
  }
}
