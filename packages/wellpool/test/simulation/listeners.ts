import type { World } from './world.ts'

/** Puts listeners on the pool, well-behaved and not, that learn from its events what can be learnt. */
export function listen(world: World): void {
  const { pool, random, trace } = world
  if (random.chance(0.2)) return
  const throwing = random.chance(0.3)
  const names = [
    'connectionCreated',
    'connectionClosed',
    'connectFailed',
    'healthCheckFailed',
    'healthStatusChanged',
    'healthCheckTriggeredRebuild',
    'rebuildMarked',
    'rebuildStarted',
    'rebuildCompleted',
    'rebuildFailed',
    'breakerOpened',
    'breakerHalfOpened',
    'breakerClosed',
    'leakSuspected',
    'poolWarmedUp',
    'poolPaused',
    'poolResumed',
    'poolDrained',
    'poolClosed',
    'connectionAcquired',
    'connectionReleased',
  ] as const
  for (const name of names) {
    pool.on(name, (event) => {
      const id = 'connectionId' in event ? ` ${trace.name(event.connectionId)}` : ''
      world.note(`event ${name}${id}`)
      world.count(`event ${name}`)
      if (event.pool !== pool.name || event.protocol !== pool.protocol || Math.abs(event.timestamp - world.clock.wallNow()) > 1) {
        world.problem(`event ${name} carries ${JSON.stringify(event)}`)
      }
      if (throwing) throw new Error('a listener threw')
    })
  }
  pool.on('rebuildStarted', ({ connectionId }) => {
    if (world.rebuilding.has(connectionId))
      world.problem(`a second rebuild of ${trace.name(connectionId)} starts before the first has ended`)
    world.rebuilding.add(connectionId)
  })
  for (const end of ['rebuildCompleted', 'rebuildFailed'] as const) {
    pool.on(end, ({ connectionId }) => {
      if (!world.rebuilding.delete(connectionId)) world.problem(`${end} of ${trace.name(connectionId)} without a start`)
    })
  }
  pool.on('breakerOpened', ({ error }) => {
    if (error.message.includes('in vain')) world.count('connected in vain')
  })
  pool.on('connectionClosed', ({ reason }) => world.count(`closed: ${reason}`))
  pool.on('rebuildMarked', ({ connectionId, reason }) => {
    world.count(`marked: ${reason.kind}`)
    const { maxLifetime, maxLifetimeJitter } = world.options
    const client = world.model.byConnection.get(connectionId)?.findLast(({ role }) => role === 'current')
    if (reason.kind !== 'max_lifetime' || client === undefined || world.reconfigured) return
    const share = (world.clock.now() - client.client.life.connectedAt) / maxLifetime
    if (share < 1 - maxLifetimeJitter - 0.01) world.problem(`a connection came of age after ${share} of maxLifetime`)
    if (maxLifetimeJitter > 0 && maxLifetime > 1000) world.spread.lifetimes.push((share - 1 + maxLifetimeJitter) / maxLifetimeJitter)
  })
}
