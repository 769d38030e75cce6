import type { Shown } from './change-rules.ts'
import type { World } from './world.ts'

/** A timer may be a millisecond early, and a look follows a millisecond later. ms */
const GRACE = 4

/** After each step: since when there have been more than minConnections. */
export function noteSize(world: World, shown: ReadonlyMap<string, Shown>): void {
  const isAbove = !world.reconfigured && world.life === 'running' && present(shown).length > world.options.minConnections
  world.aboveMinimumSince = isAbove ? Math.min(world.aboveMinimumSince, world.clock.now()) : Number.POSITIVE_INFINITY
}

/** What time alone brings about: who has come of age is marked, and who stands idle above the minimum goes. */
export function checkTime(world: World, shown: ReadonlyMap<string, Shown>): void {
  if (world.reconfigured || world.life !== 'running') return
  // What is overdue after a sleep is seen to one after the other.
  if (world.clock.now() - world.wokenAt < 5) return
  for (const each of present(shown)) {
    checkAge(world, each)
    checkIdleness(world, each)
  }
}

function present(shown: ReadonlyMap<string, Shown>): Shown[] {
  return [...shown.values()].filter(({ record: { state } }) => state !== 'connecting' && state !== 'closing')
}

function checkAge(world: World, { record, client }: Shown): void {
  const { clock, options } = world
  const { maxLifetime, rebuildStrategy, smartRebuildEnabled } = options
  const counts = smartRebuildEnabled && (rebuildStrategy === 'any' || rebuildStrategy === 'max_lifetime')
  if (!counts || client === undefined || record.mark !== undefined) return
  const age = clock.now() - client.client.life.connectedAt
  // It may have been of age when it came.
  if (clock.now() - client.currentSince <= 2) return
  if (age > maxLifetime + 2) world.problem(`${world.trace.name(record.id)} is ${age} ms old and not marked, maxLifetime is ${maxLifetime}`)
}

function checkIdleness(world: World, { record, client }: Shown): void {
  const { clock, options } = world
  if (record.state !== 'idle' || client === undefined || record.mark !== undefined) return
  // A check has kept it until now.
  if (clock.now() - client.checkEndedAt <= GRACE) return
  const idleFor = clock.now() - Math.max(client.idleSince, client.currentSince, world.aboveMinimumSince)
  if (idleFor > options.idleTimeout + GRACE) {
    world.problem(
      `${world.trace.name(record.id)} has been idle for ${idleFor} ms above minConnections, idleTimeout is ${options.idleTimeout}`,
    )
  }
}
