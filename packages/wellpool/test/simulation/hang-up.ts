import type { FakeClient } from '../../src/testing/index.ts'
import type { World } from './world.ts'

/** From now on the endpoint accepts whoever comes and soon ends it, or does so no longer. */
export function hangUp(world: World): void {
  const { endpoint, random } = world
  endpoint.hangsUp = random.pick(['lost', 'lost', 'retired', undefined])
  world.note(`what connects is ${endpoint.hangsUp ?? 'kept'}`)
}

/** What becomes of a client that the endpoint has just accepted. */
export function accepted(world: World, client: FakeClient): void {
  const { clock, endpoint, random } = world
  const { hangsUp } = endpoint
  if (hangsUp === undefined) return
  clock.arrive(random.pick([0, 1, 5, 50, 900]), () => {
    if (endpoint.isHealed) return
    world.count(`accepted and ${hangsUp}`)
    hangsUp === 'lost' ? world.lose(client) : world.retire(client)
  })
}
