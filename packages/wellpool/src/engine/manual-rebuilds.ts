import { NEVER } from './clock.ts'
import type { Connection } from './connection.ts'
import { isPresent } from './core.ts'
import type { Engine } from './engine.ts'
import { ConnectionBusyError, ConnectionNotFoundError, ConnectionStateError, PoolClosedError, RebuildFailedError } from './errors.ts'
import type { BatchRebuildOptions, RebuildOptions } from './pool-types.ts'
import type { BatchRebuildResult, RebuildResult } from './rebuild-result.ts'
import type { RebuildListener, Task } from './rebuild-task.ts'
import { readCall } from './resolve-options.ts'
import { waitingCall } from './waiting-call.ts'

/** The rebuild API: marks by hand, and waits for what comes of it. */
export class ManualRebuilds<Client> {
  readonly #engine: Engine<Client>

  constructor(engine: Engine<Client>) {
    this.#engine = engine
  }

  async byId(id: string, options: RebuildOptions): Promise<RebuildResult> {
    const { core, connector, rebuilds } = this.#engine
    const timeout = readCall(options) ?? core.options.acquireTimeout
    this.#refuseWhenClosed()
    const connection = core.connections.get(id)
    if (connection === undefined || connection.state === 'closed')
      throw new ConnectionNotFoundError(`pool ${core.options.name} has no connection ${id}`)
    if (!isPresent(connection)) throw new ConnectionStateError(`connection ${id} is ${connection.state} and can't be rebuilt`)
    const joins = (connection.rebuild as Task<Client> | undefined)?.inFlight === true
    if (!joins && connector.breaker !== 'closed') throw this.#engine.circuitOpen()
    const urgent = options.urgent === true
    const task =
      !joins || (urgent && connection.mark?.urgent !== true)
        ? rebuilds.request(connection, urgent, true)
        : (connection.rebuild as Task<Client>)
    if (task === undefined) throw new ConnectionStateError(`connection ${id} had to be closed: no successor can be connected now`)
    const [outcome] = await this.#outcomes([task], timeout, options.signal, true)
    if (outcome !== undefined) return outcome
    options.signal?.throwIfAborted()
    throw new ConnectionBusyError(`connection ${id} was not released in time: its rebuild has not begun, but it stays marked`)
  }

  async batch(options: BatchRebuildOptions): Promise<BatchRebuildResult> {
    const { core, rebuilds, upkeep } = this.#engine
    const timeout = readCall(options) ?? NEVER
    this.#refuseWhenClosed()
    const startedAt = core.clock.wallNow()
    const began = core.clock.now()
    const targets: Connection<Client>[] = []
    for (const connection of core.present()) {
      if (options.all !== true) upkeep.evaluate(connection)
      if (options.all === true || connection.mark !== undefined) targets.push(connection)
    }
    const markedHere = new Set<Task<Client>>()
    const tasks: Task<Client>[] = []
    for (const connection of targets) {
      const wasMarked = connection.mark !== undefined
      const task = rebuilds.request(connection, false, false)
      if (task === undefined) continue
      tasks.push(task)
      if (!wasMarked) markedHere.add(task)
    }
    const results = await this.#outcomes(tasks, timeout, options.signal, false, (task) => {
      if (!markedHere.has(task)) return
      rebuilds.unmark(task)
      // It may have come of age while it was marked for another reason.
      upkeep.evaluate(task.connection)
    })
    const result = summarize(
      results,
      { [core.driver.protocol]: targets.length - results.length },
      { startedAt, endedAt: core.clock.wallNow(), durationMs: core.clock.now() - began, cancelled: options.signal?.aborted === true },
    )
    return throwIfAllFailed(result)
  }

  #refuseWhenClosed(): void {
    const { ended, state, options } = this.#engine.core
    if (ended || state === 'draining') throw new PoolClosedError(`pool ${options.name} is ${state}`)
  }

  /**
   * Waits for tasks, with one listener on the signal however many they are: until all have ended. Those that have not
   * begun when the time is up or the signal aborts are not waited for.
   *
   * @param atOnce whether an abort ends the wait also for those that have begun
   * @param leftOut is called with each of these
   * @returns the outcomes of the others, in the order of the tasks
   */
  async #outcomes(
    tasks: readonly Task<Client>[],
    timeout: number,
    signal: AbortSignal | undefined,
    atOnce: boolean,
    leftOut?: (task: Task<Client>) => void,
  ): Promise<RebuildResult[]> {
    const pending = new Map<Task<Client>, RebuildListener>()
    const results = new Map<Task<Client>, RebuildResult>()
    const leave = (resolve: () => void): void => {
      for (const [task, listener] of pending) {
        if (task.begun) continue
        pending.delete(task)
        task.listeners.delete(listener)
        leftOut?.(task)
      }
      if (pending.size === 0) resolve()
    }
    await waitingCall<Client, void>(
      this.#engine.core,
      { timeout, signal },
      (resolve, reject) => {
        for (const task of tasks) {
          const listener: RebuildListener = (outcome) => {
            pending.delete(task)
            if (outcome instanceof Error) reject(outcome)
            else results.set(task, outcome)
            if (pending.size === 0) resolve()
          }
          pending.set(task, listener)
          task.listeners.add(listener)
        }
        if (pending.size === 0) resolve()
        return () => {
          for (const [task, listener] of pending) task.listeners.delete(listener)
        }
      },
      leave,
      (resolve) => (atOnce ? resolve() : leave(resolve)),
    )
    return tasks.flatMap((task) => results.get(task) ?? [])
  }
}

/** Adds up the outcomes of several rebuilds. */
export function summarize(
  results: readonly RebuildResult[],
  skippedByProtocol: Readonly<Record<string, number>>,
  times: Pick<BatchRebuildResult, 'startedAt' | 'endedAt' | 'durationMs' | 'cancelled'>,
): BatchRebuildResult {
  const byProtocol: Record<string, { total: number; succeeded: number; failed: number; skipped: number }> = {}
  const of = (protocol: string): { total: number; succeeded: number; failed: number; skipped: number } =>
    (byProtocol[protocol] ??= { total: 0, succeeded: 0, failed: 0, skipped: 0 })
  for (const [protocol, skipped] of Object.entries(skippedByProtocol)) {
    of(protocol).skipped += skipped
    of(protocol).total += skipped
  }
  for (const { protocol, success } of results) {
    of(protocol).total++
    of(protocol)[success ? 'succeeded' : 'failed']++
  }
  const sum = (key: 'total' | 'succeeded' | 'failed' | 'skipped'): number =>
    Object.values(byProtocol).reduce((total, counts) => total + counts[key], 0)
  return { total: sum('total'), succeeded: sum('succeeded'), failed: sum('failed'), skipped: sum('skipped'), byProtocol, results, ...times }
}

/** @throws REBUILD_FAILED when there were rebuilds and none succeeded */
export function throwIfAllFailed(result: BatchRebuildResult): BatchRebuildResult {
  if (result.failed === 0 || result.failed < result.total) return result
  const [first] = result.results
  throw new RebuildFailedError(`all ${result.failed} rebuilds failed; the first: ${first?.error?.message}`, result, first?.error)
}
