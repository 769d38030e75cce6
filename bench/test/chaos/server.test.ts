import { expect, test } from 'vitest'
import { fill } from '../../chaos/scenarios/server.ts'
import type { Stage } from '../../chaos/stage.ts'

test('a full server is given back when the run fails: those who took its connections would go on through the lane’s next runs', async () => {
  let held = false
  const endpoint = {
    fill: async () => {
      held = true
      return async () => {
        held = false
      }
    },
    sessions: async () => {
      throw new Error('the administrator has lost his connection')
    },
  }
  await expect(fill({ endpoint } as unknown as Stage, 1_000)).rejects.toThrow('the administrator has lost his connection')
  expect(held).toBe(false)
})
