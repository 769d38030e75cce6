import type { Flow } from './endpoint.ts'
import type { World } from './world.ts'

/** What fails together: the flows of a whole endpoint, or half of them; for a while also some of the new ones. */
export function storm(world: World): void {
  const { clock, driver, endpoint, model, random } = world
  const share = random.pick([1, 0.5, 0.5])
  const what = random.pick(['lost', 'retired', 'silent', 'silent', 'broken', 'slow'] as const)
  const victims = model.present().filter(({ live }) => live && random.chance(share))
  world.note(`${what}: ${victims.map(({ client }) => client.id).join(', ') || 'nobody'}`)
  world.count(`storm: ${what}`)
  if (what === 'lost' || what === 'retired') {
    if (driver.watch === undefined) return
    for (const { client } of victims) what === 'lost' ? world.lose(client) : world.retire(client)
    return
  }
  for (const { client } of victims) endpoint.setFlow(client, what)
  if (random.chance(0.4)) endpoint.newFlows = { share, flow: what }
  const isOver = random.chance(0.5)
  clock.arrive(random.pick([20, 300, 3000, 20_000]), () => {
    if (endpoint.isHealed) return
    endpoint.newFlows = undefined
    const after: Flow = isOver ? 'fine' : what
    world.note(`the storm is over${isOver ? ', and all is well' : ''}`)
    for (const { client } of victims) endpoint.setFlow(client, after)
  })
}
