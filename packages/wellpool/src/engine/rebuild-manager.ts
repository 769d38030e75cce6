import { checkClient } from './client-check.ts'
import { Alarm, Deadline } from './clock.ts'
import type { Closer } from './closer.ts'
import type { Connection, Generation } from './connection.ts'
import type { Connector, Demand } from './connector.ts'
import { type Core, isPresent } from './core.ts'
import { formatMs } from './duration.ts'
import { ConnectError, PoolClosedError } from './errors.ts'
import type { HealthMonitor } from './health-monitor.ts'
import type { CloseReason } from './metrics.ts'
import type { Mark, ReasonKind } from './reason.ts'
import { RebuildQueue } from './rebuild-queue.ts'
import { resultOf, tellEnd, tellMarked, tellStarted } from './rebuild-report.ts'
import type { RebuildStage } from './rebuild-result.ts'
import { Task } from './rebuild-task.ts'

/** What the rebuild manager needs of the engine around it. */
export interface RebuildHost<Client> {
  readonly core: Core<Client>
  readonly closer: Closer<Client>
  readonly connector: Connector<Client>
  readonly health: HealthMonitor<Client>
  /** Takes a connection with a new client into service. */
  putIntoService(connection: Connection<Client>): void
}

/**
 * Replaces the clients of connections. However a rebuild was decided (by a mark, by the sweep, by hand), it
 * is a {@link Task} and takes the same steps: connect the successor, check it, swap.
 */
export class RebuildManager<Client> {
  readonly #core: Core<Client>
  readonly #closer: Closer<Client>
  readonly #connector: Connector<Client>
  readonly #host: RebuildHost<Client>
  /** Every task, in the order of the marks. */
  readonly queue: RebuildQueue<Client>

  constructor(host: RebuildHost<Client>) {
    this.#host = host
    this.#core = host.core
    this.#closer = host.closer
    this.#connector = host.connector
    this.queue = new RebuildQueue(host.core, host.connector)
  }

  /** R5: the first reason stays; only its urgency may rise. */
  mark(connection: Connection<Client>, kind: ReasonKind, detail: string, urgent: boolean): void {
    const core = this.#core
    if (!isPresent(connection) || core.ended) return
    const before = connection.mark
    if (before !== undefined) {
      if (!urgent) return
      core.setMark(connection, { ...before, urgent })
      this.#leaveService(connection.rebuild as Task<Client>)
      return
    }
    const mark = { kind, detail, urgent }
    core.setMark(connection, mark)
    const task = new Task(connection, new Alarm(core.clock, () => core.changed()), (cancelled) => this.#cancel(cancelled))
    connection.rebuild = task
    this.queue.add(task)
    tellMarked(core, connection, mark)
    if (urgent) this.#leaveService(task)
    core.changed()
  }

  /**
   * Marks by hand, or joins what is marked already, and lets it begin as soon as it can.
   *
   * @returns undefined if the connection had to be closed instead: urgent, where no successor can be had
   */
  request(connection: Connection<Client>, urgent: boolean, ahead: boolean): Task<Client> | undefined {
    if (connection.mark === undefined || (urgent && !connection.mark.urgent)) this.mark(connection, 'manual', 'asked for by hand', urgent)
    const task = connection.rebuild as Task<Client> | undefined
    if (task === undefined) return undefined
    task.manual = true
    if (ahead) this.queue.ahead.add(task)
    task.retry.clear()
    this.#core.changed()
    return task
  }

  /** Takes the mark off again, if the rebuild has not begun and nobody else waits for it. */
  unmark(task: Task<Client>): void {
    if (task.begun || task.listeners.size > 0 || task.connection.rebuild !== task) return
    // Meanwhile the peer has asked for it too: it has to be rebuilt all the same.
    if (task.connection.current?.retiredByPeer === true) return
    this.#forget(task)
    this.#core.setMark(task.connection, undefined)
    task.connection.rebuild = undefined
  }

  /**
   * A lease of a marked connection was released.
   *
   * @returns whether the connection has left service and must not be handed out
   */
  atRelease(connection: Connection<Client>): boolean {
    const task = connection.rebuild as Task<Client> | undefined
    // The pool is closing: what was decided leads nowhere any more.
    if (task === undefined) return true
    task.released = true
    if (connection.mark?.urgent === true) {
      if ((connection.current?.leases ?? 0) === 0) this.#leaveService(task)
      return true
    }
    if (connection.state === 'idle' && this.#core.options.rebuildMaxSurge === 0 && this.queue.canBegin(task)) {
      this.#closeFirst(task)
      return true
    }
    this.#core.changed()
    return false
  }

  /** Gives up what can't be connected now. Without surge: begins what may begin, by closing. */
  pump(): void {
    // Also without an end: the size may have been reconfigured in the middle of a batch.
    this.queue.batchEnded()
    if (!this.#connector.mayTry) {
      const error = this.#connector.lastError ?? new ConnectError('connects fail at present')
      for (const task of this.queue.inFlight) if (task.phase === 'waiting') this.#fail(task, 'connect', error)
    }
    for (const task of this.queue.ready()) {
      if (this.#isSurplus(task)) this.#closer.closeConnection(task.connection, 'idle', 'close')
      else if (this.#core.options.rebuildMaxSurge > 0) return
      else this.#closeFirst(task)
    }
  }

  /** The next connection that is out of service and needs its connect. */
  nextOutOfService(): Demand<Client> | undefined {
    for (const task of this.queue.inFlight) if (task.phase === 'waiting') return this.#demand(task)
    return undefined
  }

  /** The next planned rebuild that needs a successor. */
  nextPlanned(): Demand<Client> | undefined {
    if (this.#core.options.rebuildMaxSurge === 0) return undefined
    for (const task of this.queue.ready()) if (!this.#isSurplus(task)) return this.#demand(task)
    return undefined
  }

  /** Whether a connection is out of service and its connect has not begun. */
  isWaiting(connection: Connection<Client>): boolean {
    return (connection.rebuild as Task<Client> | undefined)?.phase === 'waiting'
  }

  /** Successors that are present are stale: they are closed, and their rebuilds begin anew. */
  evict(): void {
    for (const task of this.queue) {
      // What is neither in use nor out of service is about to be closed, and its rebuild with it.
      if (task.candidate === undefined || !['acquired', 'rebuilding'].includes(task.connection.state)) continue
      this.#dropCandidate(task, 'evicted', 'close')
      this.#again(task)
    }
  }

  /** Whether the connection has been idle for so long that nobody would miss it, and nobody has asked for its rebuild. */
  #isSurplus({ connection, manual }: Task<Client>): boolean {
    const { clock, options } = this.#core
    if (manual || connection.state !== 'idle' || clock.now() - connection.idleSince < options.idleTimeout) return false
    return this.#core.size > options.minConnections
  }

  /** Urgent: out of service at once; the client is destroyed unless somebody still holds it in good health. */
  #leaveService(task: Task<Client>): void {
    const core = this.#core
    const { connection } = task
    const generation = connection.current as Generation<Client>
    core.idle.remove(connection)
    if (connection.state === 'rebuilding' || (generation.status === 'live' && generation.leases > 0)) return
    this.#host.health.abandon(connection)
    if (task.inFlight) {
      // A planned rebuild is under way: the successor is kept.
      core.setState(connection, 'rebuilding')
      this.#closer.destroy(generation)
      return
    }
    const byHand = task.manual || connection.mark?.kind === 'manual'
    const goesOn = core.state === 'running' || (core.state === 'paused' && byHand)
    if (!goesOn || this.#connector.breaker !== 'closed') {
      this.#closer.closeConnection(connection, connection.mark?.kind === 'connection_lost' ? 'lost' : 'unhealthy', 'destroy')
      return
    }
    core.setState(connection, 'rebuilding')
    this.#closer.destroy(generation)
    task.retry.clear()
    task.needsCheck = false
    task.phase = 'waiting'
    this.#begun(task)
    core.changed()
  }

  /** Planned, without surge: the old client goes before its successor comes. */
  #closeFirst(task: Task<Client>): void {
    const core = this.#core
    const { connection } = task
    core.idle.remove(connection)
    core.setState(connection, 'rebuilding')
    task.needsCheck = true
    task.phase = 'closing'
    this.#begun(task)
    void this.#closer.close(connection.current as Generation<Client>, 'rebuilt').then(() => {
      if (task.phase !== 'closing') return
      task.phase = 'waiting'
      core.changed()
    })
  }

  #begun(task: Task<Client>): void {
    this.queue.begun(task)
    // Begun before, and thrown back before it came to an end: an eviction has taken its successor.
    if (!task.begun) tellStarted(this.#core, task)
  }

  #demand(task: Task<Client>): Demand<Client> {
    return {
      purpose: 'rebuild',
      begin: (connect) => {
        task.connect = connect
        if (task.phase === 'queued') {
          task.needsCheck = true
          this.#begun(task)
        }
        task.phase = 'connecting'
        this.#limit(task)
        return task.connection
      },
      done: (generation) => {
        task.connect = undefined
        task.candidate = generation
        if (task.needsCheck) this.#checkCandidate(task, generation)
        else this.#swap(task, generation)
      },
      failed: (error) => {
        task.connect = undefined
        this.#fail(task, 'connect', error)
      },
      cancelled: () => {
        if (task.connect === undefined) return
        task.connect = undefined
        this.#again(task)
      },
    }
  }

  /** `rebuildTimeout` bounds the connect and the check together. */
  #limit(task: Task<Client>): void {
    const { clock, options } = this.#core
    const limit = options.rebuildTimeout
    task.deadline = new Deadline(clock, limit, () => {
      const stage = task.phase === 'checking' ? 'check' : 'connect'
      const { connect } = task
      task.connect = undefined
      connect?.giveUp()
      this.#fail(task, stage, new ConnectError(`no successor within ${formatMs(limit)} (rebuildTimeout)`))
    })
  }

  #checkCandidate(task: Task<Client>, candidate: Generation<Client>): void {
    task.phase = 'checking'
    task.abandonCheck = checkClient(this.#core, candidate, this.#core.options.healthCheckTimeout, ({ ok, error }) => {
      if (ok) {
        candidate.lastProvenAt = this.#core.clock.now()
        this.#swap(task, candidate)
      } else {
        this.#fail(task, 'check', error as Error)
      }
    })
  }

  /** A successor was lost before it was in place. */
  candidateLost(generation: Generation<Client>, error: unknown): void {
    const task = generation.connection.rebuild as Task<Client> | undefined
    if (task?.candidate !== generation) this.#closer.destroy(generation)
    else this.#fail(task, 'check', this.#core.copyError(error ?? new Error('the successor was lost while it was checked')))
  }

  /** R1: the swap. Whoever holds the old client keeps it. */
  #swap(task: Task<Client>, successor: Generation<Client>): void {
    const core = this.#core
    const { connection } = task
    const old = connection.current as Generation<Client>
    const mark = connection.mark as Mark
    this.#host.health.abandon(connection)
    if (connection.state !== 'idle') core.setState(connection, 'idle')
    core.idle.remove(connection)
    task.candidate = undefined
    this.#forget(task)
    connection.rebuild = undefined
    core.setMark(connection, undefined)
    connection.current = successor
    connection.lastRebuiltAt = core.clock.now()
    core.setHealth(connection, 'healthy')

    if (old.status === 'gone') {
      this.#closer.report(old, 'rebuilt')
    } else if (old.leases > 0) {
      old.status = 'retired'
      core.retired.add(old)
    } else {
      void this.#closer.close(old, 'rebuilt')
    }
    this.#host.putIntoService(connection)

    task.tell(tellEnd(core, task, mark, { success: true, newGeneration: successor.number }))
  }

  #fail(task: Task<Client>, stage: RebuildStage, error: Error): void {
    const core = this.#core
    const { connection } = task
    const mark = connection.mark as Mark
    this.#dropCandidate(task, 'rebuild_failed', 'destroy')
    task.tell(tellEnd(core, task, mark, { success: false, stage, error }))
    if (connection.state === 'rebuilding') {
      // No client is left to go on with. The pool refills itself.
      this.#closer.closeConnection(connection, 'rebuild_failed', 'destroy')
      return
    }
    this.#retryLater(task)
    core.changed()
  }

  /** Nothing has happened: the old client serves on, the mark stays, the next try comes with backoff. */
  #retryLater(task: Task<Client>): void {
    this.#again(task)
    // Behind those that have not had their first try.
    this.queue.ahead.delete(task)
    this.queue.delete(task)
    this.queue.add(task)
    task.retryLater(this.#core.options)
  }

  /** Back to where the successor's connect has not begun. */
  #again(task: Task<Client>): void {
    task.rewind()
    if (!task.inFlight) this.queue.ended(task)
    this.#core.changed()
  }

  #dropCandidate(task: Task<Client>, reason: CloseReason, how: 'close' | 'destroy'): void {
    const { abandonCheck, candidate } = task
    task.abandonCheck = undefined
    task.candidate = undefined
    abandonCheck?.()
    if (candidate === undefined) return
    if (how === 'close') {
      void this.#closer.close(candidate, reason)
    } else {
      this.#closer.destroy(candidate)
      this.#closer.report(candidate, reason)
    }
  }

  /** The connection is being closed: by an eviction, by the pool's end, or because its rebuild has failed. */
  #cancel(task: Task<Client>): void {
    const core = this.#core
    const mark = task.connection.mark as Mark
    const closing = core.ended
    const { connect } = task
    task.connect = undefined
    connect?.giveUp()
    this.#dropCandidate(task, closing ? 'pool_closed' : 'evicted', closing ? 'destroy' : 'close')
    this.#forget(task)
    task.connection.rebuild = undefined
    const error = closing
      ? new PoolClosedError(`pool ${core.options.name} was closed during the rebuild`)
      : new ConnectError(`connection ${task.connection.id} was closed before it could be rebuilt`)
    const outcome = { success: false, stage: 'replace', error } as const
    const result = task.begun ? tellEnd(core, task, mark, outcome) : resultOf(core, task, mark, outcome)
    task.tell(closing ? error : result)
  }

  #forget(task: Task<Client>): void {
    task.stop()
    this.queue.delete(task)
    this.queue.ahead.delete(task)
    this.queue.ended(task)
  }
}
