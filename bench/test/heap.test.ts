import { afterEach, describe, expect, test, vi } from 'vitest'
import { heapUsed, memoryInUse } from '../src/heap.ts'

describe('the heap after all garbage is gone', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })

  test.each([
    ['heapUsed', heapUsed],
    ['memoryInUse', memoryInUse],
  ])('is looked at by %s before anything else happens after the last collection', async (_, look) => {
    const events: string[] = []
    vi.stubGlobal('gc', () => {
      events.push('collection')
      setImmediate(() => events.push('whatever else the process does'))
    })
    vi.spyOn(process, 'memoryUsage').mockImplementation(() => {
      events.push('look')
      return { rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }
    })
    await look()
    const looked = events.indexOf('look')
    expect(events[looked - 1]).toBe('collection')
    expect(events.slice(0, looked)).toContain('whatever else the process does')
  })
})
