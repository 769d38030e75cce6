import type { FakeClient } from './fake-driver.ts'

/** One call of a fake driver's `connect`, from the endpoint's side. All times are of the clock's `now()`. */
export interface ConnectEntry {
  readonly connectionId: string
  readonly attempt: number
  readonly begunAt: number
  /** When its signal was aborted before it settled: from then on it is no longer counted as open. */
  givenUpAt?: number
  settledAt?: number
  /** Absent while it has not settled, and when it brought none. */
  client?: FakeClient
}

/** What has happened to one client. */
export interface ClientLife {
  readonly client: FakeClient
  readonly connectedAt: number
  /** Whether its connect had been given up before it arrived: it belongs to nobody and must be destroyed at once. */
  readonly stray: boolean
  /** Who uses it now, as a test has told with {@link Ledger.lease}. */
  readonly leases: Set<string>
  checks: number
  closeCalledAt?: number
  /** When its `close` fulfilled. */
  closedAt?: number
  /** When its `close` failed: `destroy` has to follow. */
  closeFailedAt?: number
  destroyedAt?: number
}

/**
 * Keeps the books of a fake driver from the endpoint's side, so that a test does not have to believe the
 * pool's own figures: who is connected, how each client ended, and what should not have happened.
 */
export class Ledger {
  readonly connects: ConnectEntry[] = []
  readonly clients: ClientLife[] = []
  readonly #now: () => number
  readonly #maxLeases: number
  readonly #problems: string[] = []
  readonly #present = new Set<ClientLife>()
  #connecting = 0
  #maxOpen = 0

  constructor(now: () => number, maxLeases: number) {
    this.#now = now
    this.#maxLeases = maxLeases
  }

  /** Connects in flight that have not been given up, and clients whose close has neither settled nor been cut short by `destroy`. */
  get open(): number {
    let strays = 0
    for (const life of this.#present) if (life.stray) strays++
    return this.#connecting + this.#present.size - strays
  }

  /** Connects in flight that have not been given up. */
  get connecting(): number {
    return this.#connecting
  }

  /** The most that `open` has ever been. */
  get maxOpen(): number {
    return this.#maxOpen
  }

  /** The clients that have not ended yet, the closing ones included. */
  present(): ClientLife[] {
    return [...this.#present]
  }

  /** Forgets the clients that have ended and the connects that have settled, so that a simulation may last for days. */
  forgetEnded(): void {
    this.clients.splice(0, this.clients.length, ...this.#present)
    const unsettled = this.connects.filter(({ settledAt }) => settledAt === undefined)
    this.connects.splice(0, this.connects.length, ...unsettled)
  }

  /** What should not have happened: a client closed twice, used after its close, … Empty when all is well. */
  problems(): readonly string[] {
    return this.#problems
  }

  /** Adds a problem that a test has found itself. */
  problem(text: string): void {
    this.#problems.push(`at ${this.#now()}: ${text}`)
  }

  /** Tells the books that `borrower` uses the client from now on. */
  lease(client: FakeClient, borrower: string): void {
    const { life } = client
    if (life.closeCalledAt !== undefined || life.destroyedAt !== undefined)
      this.problem(`client ${client.id} is handed to ${borrower} after its end`)
    life.leases.add(borrower)
    if (life.leases.size > this.#maxLeases)
      this.problem(`client ${client.id} has ${life.leases.size} leases: ${[...life.leases].join(', ')}`)
  }

  /** Tells the books that `borrower` has given the client back. */
  release(client: FakeClient, borrower: string): void {
    client.life.leases.delete(borrower)
  }

  /** For the fake driver. */
  connectBegun(connectionId: string, attempt: number, signal: AbortSignal): ConnectEntry {
    const entry: ConnectEntry = { connectionId, attempt, begunAt: this.#now() }
    this.connects.push(entry)
    this.#connecting++
    this.#maxOpen = Math.max(this.#maxOpen, this.open)
    const giveUp = (): void => {
      if (entry.settledAt !== undefined || entry.givenUpAt !== undefined) return
      entry.givenUpAt = this.#now()
      this.#connecting--
    }
    if (signal.aborted) {
      this.problem(`a connect for ${connectionId} began with a signal that was aborted`)
      giveUp()
    } else signal.addEventListener('abort', giveUp, { once: true })
    return entry
  }

  /** For the fake driver. */
  connectSettled(entry: ConnectEntry, client?: FakeClient): void {
    entry.settledAt = this.#now()
    if (entry.givenUpAt === undefined) this.#connecting--
    if (client === undefined) return
    entry.client = client
    this.clients.push(client.life)
    this.#present.add(client.life)
  }

  /** For the fake driver: a hook was called with the client. */
  used(client: FakeClient, hook: string): void {
    const { life } = client
    if (life.destroyedAt !== undefined) this.problem(`${hook} of client ${client.id} after destroy`)
    else if (life.closeCalledAt !== undefined) this.problem(`${hook} of client ${client.id} after close`)
    else if (life.stray) this.problem(`${hook} of client ${client.id}, whose connect had been given up`)
  }

  /** For the fake driver. */
  closeCalled(client: FakeClient): void {
    this.used(client, 'close')
    if (client.life.leases.size > 0) this.problem(`client ${client.id} is closed while ${[...client.life.leases].join(', ')} uses it`)
    client.life.closeCalledAt ??= this.#now()
  }

  /** For the fake driver. */
  closeSettled(client: FakeClient, fulfilled: boolean): void {
    const { life } = client
    if (life.destroyedAt !== undefined) return
    if (!fulfilled) {
      life.closeFailedAt = this.#now()
      return
    }
    life.closedAt = this.#now()
    this.#present.delete(life)
  }

  /** For the fake driver. */
  destroyed(client: FakeClient): void {
    const { life } = client
    if (life.destroyedAt !== undefined) this.problem(`client ${client.id} is destroyed twice`)
    if (life.closedAt !== undefined) this.problem(`client ${client.id} is destroyed although its close has succeeded`)
    life.destroyedAt ??= this.#now()
    this.#present.delete(life)
  }
}
