import { expect, it, vi } from 'vitest'
import { Batch } from '../../src/shared/batch.ts'

it('asks once for all that is asked for in one turn, and anew in the next', async () => {
  const ask = vi.fn(async (keys: readonly number[]) => keys.map((key) => key * 2))
  const batch = new Batch(ask)
  expect(await Promise.all([batch.with(1), batch.with(2)])).toEqual([
    [2, 4],
    [2, 4],
  ])
  expect(await batch.with(3)).toEqual([6])
  expect(ask.mock.calls).toEqual([[[1, 2]], [[3]]])
})

it('rejects for all of them when the question fails, and goes on', async () => {
  const failure = new Error('no')
  const ask = vi.fn(async (keys: readonly number[]) => keys).mockRejectedValueOnce(failure)
  const batch = new Batch(ask)
  const [first, second] = [batch.with(1), batch.with(2)]
  await expect(first).rejects.toBe(failure)
  await expect(second).rejects.toBe(failure)
  expect(await batch.with(3)).toEqual([3])
})
