import type { Connection } from './connection.ts'
import type { Core } from './core.ts'
import type { Mark, Reason } from './reason.ts'
import type { RebuildResult, RebuildStage } from './rebuild-result.ts'
import type { Task } from './rebuild-task.ts'

/** How a rebuild ended: with a new generation in place, or where and why it failed. */
export type RebuildOutcome =
  | { readonly success: true; readonly newGeneration: number }
  | { readonly success: false; readonly stage: RebuildStage; readonly error: Error }

/** Counts and tells that a connection was marked. */
export function tellMarked<Client>(core: Core<Client>, connection: Connection<Client>, mark: Mark): void {
  const { rebuildsMarked } = core.counters
  rebuildsMarked[mark.kind] = (rebuildsMarked[mark.kind] ?? 0) + 1
  announce(core, 'rebuildMarked', connection, mark)
}

/** Notes, counts and tells that a rebuild has begun. Each of these is followed by one `tellEnd`. */
export function tellStarted<Client>(core: Core<Client>, task: Task<Client>): void {
  const { connection } = task
  const mark = connection.mark as Mark
  task.begun = true
  task.startedAt = core.clock.now()
  task.oldGeneration = connection.current?.number ?? 0
  core.counters.rebuildsStarted++
  announce(core, 'rebuildStarted', connection, mark)
}

/** Notes, counts and tells how a rebuild ended, but for those who wait for it. What follows is not one more end. */
export function tellEnd<Client>(core: Core<Client>, task: Task<Client>, mark: Mark, outcome: RebuildOutcome): RebuildResult {
  task.begun = false
  const result = resultOf(core, task, mark, outcome)
  const { reason, durationMs, oldGeneration } = result
  const what = core.identify(task.connection)
  if (outcome.success) {
    core.counters.rebuildsCompleted++
    core.measure('rebuildCompleted', mark.kind, durationMs)
    core.events.emit('rebuildCompleted', { ...what, reason, durationMs, oldGeneration, newGeneration: outcome.newGeneration })
  } else {
    core.counters.rebuildsFailed++
    core.measure('rebuildFailed', mark.kind, durationMs)
    core.events.emit('rebuildFailed', { ...what, reason, stage: outcome.stage, error: outcome.error })
  }
  return result
}

/** What a caller gets to know of a rebuild that has ended. */
export function resultOf<Client>({ clock, labels }: Core<Client>, task: Task<Client>, mark: Mark, outcome: RebuildOutcome): RebuildResult {
  return {
    connectionId: task.connection.id,
    ...labels,
    reason: reasonOf(mark),
    oldGeneration: task.oldGeneration || (task.connection.current?.number ?? 0),
    durationMs: task.startedAt === 0 ? 0 : clock.now() - task.startedAt,
    timestamp: clock.wallNow(),
    ...outcome,
  }
}

function announce<Client>(core: Core<Client>, name: 'rebuildMarked' | 'rebuildStarted', connection: Connection<Client>, mark: Mark): void {
  core.measure(name, mark.kind)
  core.events.emit(name, { ...core.identify(connection), reason: reasonOf(mark), urgent: mark.urgent })
}

function reasonOf({ kind, detail }: Mark): Reason {
  return { kind, detail }
}
