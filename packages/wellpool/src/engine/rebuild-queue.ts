import { Alarm } from './clock.ts'
import type { Connector } from './connector.ts'
import type { Core } from './core.ts'
import type { Task } from './rebuild-task.ts'

/** The rebuilds that have been decided, in the order of the marks, and which of them may begin. */
export class RebuildQueue<Client> extends Set<Task<Client>> {
  readonly #core: Core<Client>
  readonly #connector: Connector<Client>
  /** Planned rebuilds begun in the present batch. */
  #batch = 0
  /** The pause between two batches. */
  readonly #batchDelay: Alarm

  constructor(core: Core<Client>, connector: Connector<Client>) {
    super()
    this.#core = core
    this.#connector = connector
    this.#batchDelay = new Alarm(core.clock, () => {
      this.#batch = 0
      core.changed()
    })
  }

  /** How many rebuilds are in flight. */
  get inFlight(): number {
    return this.#count((task) => task.inFlight)
  }

  /** How many connections that are out of service will come back by themselves. */
  get pending(): number {
    return this.#count(({ connection, inFlight }) => inFlight && connection.state === 'rebuilding')
  }

  /** Whether a planned rebuild may begin now. */
  canBegin(task: Task<Client>): boolean {
    const { options, state } = this.#core
    const { connection, manual } = task
    if (task.inFlight || task.retry.pending || connection.mark?.urgent === true) return false
    if (state !== 'running' && !(state === 'paused' && manual)) return false
    if (connection.state !== 'idle') {
      // In use: by hand at once, otherwise from the next release on. The holder keeps the old client.
      if (connection.state !== 'acquired' || options.rebuildMaxSurge === 0 || !(manual || task.released)) return false
    }
    if (options.rebuildMaxSurge === 0 && (!this.#connector.mayTry || !this.#mayLeave())) return false
    return task.ahead || (this.#batch < options.rebuildBatchSize && this.#plannedInFlight() < options.rebuildConcurrency)
  }

  /** Counts a rebuild that begins now against its batch, unless it was asked for by id. */
  begun({ ahead, needsCheck }: Task<Client>): void {
    if (needsCheck && !ahead) this.#batch++
  }

  /** After a full batch, or the last of the queue, the next one may begin. */
  batchEnded(): void {
    const { options } = this.#core
    if (this.#batch < options.rebuildBatchSize || this.#batchDelay.pending || this.#plannedInFlight() > 0) return
    this.#batchDelay.set(options.rebuildBatchDelay)
  }

  stop(): void {
    this.#batchDelay.clear()
  }

  /** Without surge: whether one more connection may be out of service. */
  #mayLeave(): boolean {
    const present = [...this.#core.present()]
    const out = present.filter(({ state }) => state === 'rebuilding').length
    // While connects fail, one at a time finds out whether they succeed again.
    if (this.#connector.breaker !== 'closed') return out === 0
    return out < Math.max(1, Math.floor(this.#core.options.maxUnavailable * present.length))
  }

  #plannedInFlight(): number {
    return this.#count((task) => task.inFlight && task.needsCheck)
  }

  #count(belongs: (task: Task<Client>) => boolean): number {
    return [...this].filter(belongs).length
  }
}
