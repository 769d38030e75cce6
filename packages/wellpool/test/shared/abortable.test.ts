import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { abortable } from '../../src/shared/abortable.ts'

it('settles as the promise does, and leaves no listener', async () => {
  const { signal } = new AbortController()
  const failure = new Error('no')
  expect(await abortable(Promise.resolve(42), signal)).toBe(42)
  await expect(abortable(Promise.reject(failure), signal)).rejects.toBe(failure)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

it('rejects with the reason of its signal, aborted before or meanwhile, whatever the promise does later', async () => {
  const controller = new AbortController()
  let fail = (_: Error): void => {}
  const late = new Promise((_, reject) => {
    fail = reject
  })
  const waiting = abortable(late, controller.signal)
  const reason = new Error('given up')
  controller.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  await expect(abortable(new Promise(() => {}), controller.signal)).rejects.toBe(reason)
  fail(new Error('nobody hears of this'))
})
