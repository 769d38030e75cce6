import * as tarn from 'tarn'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Pool } from '../../src/adapters/tarn.ts'
import { DIFFERENCES, type OpenPool } from './tarn.differences.ts'

describe.each(DIFFERENCES)('$title', ({ run, tarn: theirs, wellpool: ours }) => {
  it.each([
    ['with tarn', tarn.Pool as unknown as typeof Pool, theirs],
    ['with wellpool/tarn', Pool, ours],
  ] as const)('%s', async (_, PoolClass, expected) => {
    const open: OpenPool = ({ wellpool, ...options } = {}) => {
      let made = 0
      // tarn refuses an option that it does not know.
      const added = PoolClass === Pool && wellpool !== undefined ? { wellpool } : {}
      const pool = new PoolClass({ create: async () => ({ id: ++made }), destroy: async () => {}, min: 0, max: 2, ...options, ...added })
      onTestFinished(async () => {
        await pool.destroy()
      })
      return pool
    }
    expect(await run(open)).toEqual(expected)
  })
})
