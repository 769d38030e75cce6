import { Deadline } from './clock.ts'
import type { Connection, Generation } from './connection.ts'
import type { Core } from './core.ts'
import type { CloseReason } from './metrics.ts'

/** Ends clients and connections: each exactly once, and never without an end. */
export class Closer<Client> {
  readonly #core: Core<Client>
  /** Goodbyes under way, each with what cuts it short. */
  readonly #closing = new Map<Generation<Client>, () => void>()

  constructor(core: Core<Client>) {
    this.#core = core
  }

  /** How many goodbyes are under way. */
  get closing(): number {
    return this.#closing.size
  }

  /** Says goodbye to a client; destroys it if that fails or takes longer than `closeTimeout`. Never rejects. */
  close(generation: Generation<Client>, reason: CloseReason): Promise<void> {
    if (!this.#begin(generation)) return Promise.resolve()
    const { clock, driver, options } = this.#core
    return new Promise((resolve) => {
      const end = (destroy: boolean): void => {
        if (!this.#closing.delete(generation)) return
        deadline.cancel()
        if (destroy) this.#destroyClient(generation.client)
        this.#end(generation)
        this.report(generation, reason)
        resolve()
      }
      const deadline = new Deadline(clock, options.closeTimeout, () => end(true))
      this.#closing.set(generation, () => end(true))
      attempt(() => driver.close(generation.client)).then(
        () => end(false),
        () => end(true),
      )
    })
  }

  /** Frees a client at once, also one whose goodbye is under way. What became of it is told by `report`. */
  destroy(generation: Generation<Client>): void {
    const cutShort = this.#closing.get(generation)
    if (cutShort !== undefined) {
      cutShort()
    } else if (this.#begin(generation)) {
      this.#destroyClient(generation.client)
      this.#end(generation)
    }
  }

  /** Counts and tells why a client was closed, once. Caller must have closed or destroyed it. */
  report(generation: Generation<Client>, reason: CloseReason): void {
    if (generation.reported) return
    generation.reported = true
    const core = this.#core
    core.counters.closed[reason]++
    core.measure('closed', reason)
    core.events.emit('connectionClosed', { ...core.identify(generation.connection, generation), reason })
  }

  /** Cuts all goodbyes short. */
  destroyClosing(): void {
    for (const cutShort of [...this.#closing.values()]) cutShort()
  }

  /** Frees a client that never became a connection's: it came too late. It is not counted in `open`. */
  destroyStray(client: Client): void {
    if (client !== undefined && client !== null && !this.#core.clients.has(client)) this.#destroyClient(client)
  }

  /** Destroys a client while somebody uses it; they are told why. */
  destroyUnderBorrowers(generation: Generation<Client>, because: unknown): void {
    if (generation.status === 'gone') return
    generation.lostBecause = because === undefined ? undefined : this.#core.copyError(because)
    generation.lostInUse = generation.leases
    this.destroy(generation)
    for (const listener of generation.lostListeners) listener(generation.lostBecause)
  }

  /**
   * Takes a connection out of the pool for good. Caller must have dealt with its borrowers: `close` is for
   * what nobody holds.
   */
  closeConnection(connection: Connection<Client>, reason: CloseReason, how: 'close' | 'destroy'): void {
    const core = this.#core
    if (connection.state === 'closing' || connection.state === 'closed') return
    const { current } = connection
    core.idle.remove(connection)
    core.failing.delete(connection)
    core.abandonCheck(connection)
    connection.rebuild?.cancel()
    for (const alarm of [connection.healthCheck, connection.recheck, connection.age]) alarm?.clear()
    core.setMark(connection, undefined)
    core.setState(connection, 'closing')

    const closed = (): void => {
      core.setState(connection, 'closed')
      core.connections.delete(connection.id)
      core.changed()
    }
    if (current === undefined || current.status === 'gone' || how === 'destroy') {
      if (current !== undefined) {
        this.destroyUnderBorrowers(current, undefined)
        this.report(current, reason)
      }
      closed()
    } else {
      void this.close(current, reason).then(closed)
    }
    core.changed()
  }

  #begin(generation: Generation<Client>): boolean {
    if (generation.status === 'closing' || generation.status === 'gone') return false
    generation.status = 'closing'
    this.#core.retired.delete(generation)
    return true
  }

  #destroyClient(client: Client): void {
    this.#core.events.call("the driver's destroy", () => this.#core.driver.destroy(client))
  }

  #end(generation: Generation<Client>): void {
    generation.status = 'gone'
    this.#core.clients.delete(generation.client)
    this.#core.open--
    this.#core.changed()
  }
}

/** Calls a function of the driver's: what it throws becomes a rejection. */
export async function attempt<Result>(call: () => Result): Promise<Awaited<Result>> {
  return await call()
}
