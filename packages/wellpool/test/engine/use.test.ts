import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { setUp } from './set-up.ts'

test('a function that throws at once leaves no listener on the signal, and its own signal in peace', async () => {
  const { client, clock, driver, pool, start } = setUp({ minConnections: 1 })
  await start()
  const { signal } = new AbortController()
  let inner: AbortSignal | undefined
  const use = pool.use(
    (_, context) => {
      inner = context.signal
      throw new Error('at once')
    },
    { signal },
  )
  await expect(use).rejects.toThrow('at once')
  expect(getEventListeners(signal, 'abort')).toEqual([])
  driver.lose(client(1))
  await clock.settle()
  expect(inner?.aborted).toBe(false)
})
