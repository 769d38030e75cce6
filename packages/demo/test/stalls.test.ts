import { describe, expect, it } from 'vitest'
import { Stalls } from '../src/stalls.ts'

describe('Stalls', () => {
  it('excuses the time in which the process was not let run, as far as it falls into a span', () => {
    const stalls = new Stalls()
    // Away from 1,000 to 1,210: 10 ms are the timer's own.
    stalls.note(1_000, 1_210, 0)
    expect(stalls).toMatchObject({ count: 1, totalMs: 200 })
    expect(stalls.between(900, 1_500)).toBe(200)
    expect(stalls.between(1_100, 1_500)).toBe(110)
    expect(stalls.between(1_210, 1_500)).toBe(0)
  })

  it('does not excuse what the process computed itself, nor what timers are always late', () => {
    const stalls = new Stalls()
    stalls.note(1_000, 1_210, 195)
    stalls.note(2_000, 2_025, 0)
    expect(stalls).toMatchObject({ count: 0, totalMs: 0 })
  })

  it('sees that the process itself computes', async () => {
    const stalls = new Stalls()
    stalls.start()
    await new Promise((resolve) => setTimeout(resolve, 30))
    const from = performance.now()
    const cpu = process.cpuUsage()
    let now = from
    while (process.cpuUsage(cpu).user < 150_000) now = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 30))
    stalls.stop()
    // Of 150 ms of computing none is excused; beyond that the machine may have let others run.
    expect(stalls.between(from, now)).toBeLessThan(now - from - 100)
  })
})
