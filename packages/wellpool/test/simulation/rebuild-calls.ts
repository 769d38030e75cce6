import {
  type BatchRebuildOptions,
  type BatchRebuildResult,
  CircuitOpenError,
  ConnectionBusyError,
  ConnectionNotFoundError,
  ConnectionStateError,
  PoolClosedError,
  RebuildFailedError,
  type RebuildOptions,
  type RebuildResult,
} from '../../src/index.ts'
import type { World } from './world.ts'

/** What can rebuild a connection by its id: a pool, or a set of them. */
interface ById {
  rebuildConnectionById(id: string, options: RebuildOptions): Promise<RebuildResult>
}

/** Somebody has one connection of the world rebuilt by hand, or one that there is not. */
export function rebuildOne(world: World, api: ById = world.pool): void {
  const { random } = world
  const records = world.pool.connections()
  const id = records.length === 0 || random.chance(0.05) ? 'nobody' : random.pick(records).id
  const controller = random.chance(0.3) ? operator(world) : undefined
  const options = {
    ...(random.chance(0.3) && { urgent: true }),
    ...(random.chance(0.5) && { timeout: random.pick([0, 5, 100, 5000]) }),
    ...(controller !== undefined && { signal: controller.signal }),
  }
  const isKnown = records.some((record) => record.id === id)
  if (options.urgent === true) world.urgentStep = world.step
  world.watch(
    `rebuild of ${isKnown ? world.trace.name(id) : id}`,
    () => api.rebuildConnectionById(id, options),
    (outcome) => {
      if ('value' in outcome) {
        const { success, oldGeneration, newGeneration, error, stage } = outcome.value
        world.count(`rebuild by hand: ${success ? 'succeeded' : 'failed'}`)
        if (success ? newGeneration !== oldGeneration + 1 : error === undefined || stage === undefined) {
          world.problem(`the rebuild of ${world.trace.name(id)} has the result ${JSON.stringify(outcome.value)}`)
        }
        return
      }
      const { error } = outcome
      world.count(`rebuild by hand: ${error instanceof Error ? error.name : 'rejected'}`)
      if (controller?.signal.aborted === true && error === controller.signal.reason) return
      if (error instanceof ConnectionNotFoundError && !isKnown) return
      const fits =
        error instanceof ConnectionBusyError ||
        error instanceof ConnectionStateError ||
        (error instanceof PoolClosedError && world.isEnding) ||
        (error instanceof CircuitOpenError && !world.model.outage.surelyNot)
      if (!fits) world.problem(`the rebuild of ${id} is refused with ${String(error)}`)
    },
  )
}

/** Somebody has many connections of these worlds rebuilt. */
export function rebuildMany(worlds: readonly World[], call: (options: BatchRebuildOptions) => Promise<BatchRebuildResult>): void {
  const [world] = worlds
  if (world === undefined) return
  const { random } = world
  const controller = random.chance(0.5) ? operator(world) : undefined
  const options = {
    all: random.chance(0.6),
    ...(random.chance(0.4) && { timeout: random.pick([0, 20, 1000]) }),
    ...(controller !== undefined && { signal: controller.signal }),
  }
  for (const { mayUnmark, pool } of worlds) for (const { id } of pool.connections()) mayUnmark.add(id)
  world.watch(
    'rebuild of many',
    () => call(options),
    (outcome) => {
      const error = 'error' in outcome ? outcome.error : undefined
      const result = 'value' in outcome ? outcome.value : error instanceof RebuildFailedError ? error.result : undefined
      if (result !== undefined) {
        const { total, succeeded, failed, skipped, results, cancelled } = result
        const adds = total === succeeded + failed + skipped && results.length === succeeded + failed
        if (!adds) world.problem(`a batch adds up wrong: ${JSON.stringify({ total, succeeded, failed, skipped })}`)
        if (cancelled !== (controller?.signal.aborted === true)) world.problem(`a batch is ${cancelled ? '' : 'not '}cancelled`)
        if ((error !== undefined) !== (total > 0 && failed === total))
          world.problem(`a batch ${error === undefined ? 'fulfils' : 'rejects'} with ${failed} of ${total} failed`)
        for (const { pool } of results)
          if (!worlds.some((each) => each.pool.name === pool)) world.problem(`a batch has rebuilt in ${pool} as well`)
        world.count(`batch: ${error === undefined ? 'some succeeded' : 'all failed'}`)
      } else if (!(error instanceof PoolClosedError && world.isEnding)) {
        world.problem(`a batch is refused with ${String(error)}`)
      }
    },
  )
}

/** Somebody who may change their mind some time later. */
function operator({ clock, random, signals }: World): AbortController {
  const controller = new AbortController()
  signals.push(controller.signal)
  if (random.chance(0.6))
    clock.arrive(random.pick([0, 3, 30, 1000]), () => controller.abort(new Error('the operator has changed their mind')))
  return controller
}
