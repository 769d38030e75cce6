import { Alarm } from './clock.ts'
import type { Connector } from './connector.ts'
import type { Core } from './core.ts'
import type { Task } from './rebuild-task.ts'

/** The rebuilds that have been decided, in the order of the marks, and which of them may begin. */
export class RebuildQueue<Client> extends Set<Task<Client>> {
  readonly #core: Core<Client>
  readonly #connector: Connector<Client>
  /** Those that are under way. */
  readonly inFlight = new Set<Task<Client>>()
  /** Those that may begin before others, outside of the batches: asked for by id. */
  readonly ahead = new Set<Task<Client>>()
  /** Planned rebuilds begun in the present batch. */
  #batch = 0
  /** Planned rebuilds under way. */
  #planned = 0
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

  /** The planned rebuilds that may begin now. Each is looked at when those before it have been dealt with. */
  *ready(): Generator<Task<Client>> {
    for (const task of this.ahead) if (this.canBegin(task)) yield task
    for (const task of this) {
      if (!this.#hasRoom || !this.#mayLeave) return
      if (this.canBegin(task)) yield task
    }
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
    return this.#mayLeave && (this.#hasRoom || this.ahead.has(task))
  }

  /** A rebuild begins now. It counts against its batch unless it was asked for by id. */
  begun(task: Task<Client>): void {
    this.inFlight.add(task)
    if (!task.needsCheck) return
    this.#planned++
    if (!this.ahead.has(task)) this.#batch++
  }

  /** A rebuild is under way no more, or never was. */
  ended(task: Task<Client>): void {
    if (this.inFlight.delete(task) && task.needsCheck) this.#planned--
    this.batchEnded()
  }

  /** After a full batch, or the last of the queue, the next one may begin. */
  batchEnded(): void {
    const { options } = this.#core
    if (this.#batch < options.rebuildBatchSize || this.#batchDelay.pending || this.#planned > 0) return
    this.#batchDelay.set(options.rebuildBatchDelay)
  }

  stop(): void {
    this.#batchDelay.clear()
  }

  get #hasRoom(): boolean {
    const { rebuildBatchSize, rebuildConcurrency } = this.#core.options
    return this.#batch < rebuildBatchSize && this.#planned < rebuildConcurrency
  }

  /** Whether one more connection may be out of service, which without surge each has to be. */
  get #mayLeave(): boolean {
    const { options, rebuilding, size } = this.#core
    if (options.rebuildMaxSurge > 0) return true
    // While connects fail, one at a time finds out whether they succeed again.
    if (this.#connector.breaker !== 'closed') return this.#connector.mayTry && rebuilding === 0
    return rebuilding < Math.max(1, Math.floor(options.maxUnavailable * size))
  }
}
