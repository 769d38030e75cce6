import { expect, it } from 'vitest'
import { describeOwnPostgres } from '../../../packages/wellpool/test/support/postgres.ts'
import { type Figure, type Soak, soak } from '../../soak/soak.ts'
import { compile } from '../../src/compile.ts'

/** What is counted: a short run says little of the heap, in which code is still being compiled. */
const COUNTED: readonly Figure[] = ['handles', 'sockets', 'timers', 'listeners', 'clients', 'flows', 'sessions']

await describeOwnPostgres('a short soak', () => {
  it('finds that nothing grows, whatever happens to the connections, and finds a leak', async () => {
    await using compiled = await compile([new URL('../../soak/application.ts', import.meta.url)], { sources: true })
    const { program } = compiled
    const short = (leaks: boolean): Promise<Soak> =>
      soak({ program, ms: 50_000, faults: 8, calmMs: 200, seed: 3, leaks, progress: () => {} })
    const [sound, leaking] = await Promise.all([short(false), short(true)])

    const verdicts = COUNTED.map((figure) => `${figure} ${sound.growth[figure].verdict}`)
    expect(verdicts).toEqual(COUNTED.map((figure) => `${figure} steady`))
    expect(sound.growth.sessions.level).toBe(8)
    expect(sound.growth.heap.level).toBeGreaterThan(1_000_000)
    expect(sound.faults).toBe(8)
    expect(sound.traffic.requests).toBeGreaterThan(100)

    expect(leaking.growth.listeners.verdict).toBe('grows')
    expect(leaking.growth.sessions.verdict).toBe('steady')
  })
})
