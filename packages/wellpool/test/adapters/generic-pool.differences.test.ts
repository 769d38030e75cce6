import genericPool from 'generic-pool'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createPool } from '../../src/adapters/generic-pool.ts'
import { DIFFERENCES, type OpenPool } from './generic-pool.differences.ts'

describe.each(DIFFERENCES)('$title', ({ run, genericPool: theirs, wellpool: ours }) => {
  it.each([
    ['with generic-pool', genericPool.createPool as unknown as typeof createPool, theirs],
    ['with wellpool/generic-pool', createPool, ours],
  ] as const)('%s', async (_, create, expected) => {
    const open: OpenPool = (options, factory) => {
      let made = 0
      const pool = create({ create: async () => ({ id: ++made }), destroy: async () => {}, ...factory }, options)
      onTestFinished(async () => {
        // Not all that is shown here lets a pool end.
        void pool.drain()
        await pool.wellpool?.close({ timeout: 0 })
      })
      return pool
    }
    expect(await run(open)).toEqual(expected)
  })
})
