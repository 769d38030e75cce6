import { describe, expect, test } from 'vitest'
import { reachableFor } from '../../acceptance/availability.ts'

const outage = (from: number, until: number | undefined) => ({ episodes: [{ name: 'away', from, until }] })

describe('the time for which a request could reach its endpoint', () => {
  test.each([
    { when: 'nothing happens', due: 500, course: { episodes: [] }, ms: 2000 },
    { when: 'a fault does not take the endpoint away', due: 1500, course: outage(1000, undefined), ms: 2000 },
    { when: 'the endpoint is back before the request is due', due: 3001, course: outage(1000, 3000), ms: 2000 },
    { when: 'the endpoint is away when it is due and comes back', due: 2000, course: outage(1000, 3000), ms: 1000 },
    { when: 'the endpoint comes back at its very end', due: 1001, course: outage(1000, 3000), ms: 1 },
    { when: 'the endpoint is away until its deadline', due: 1000, course: outage(1000, 3000), ms: 0 },
    { when: 'the endpoint goes right after it is due', due: 997, course: outage(1000, 9000), ms: 3 },
    { when: 'the endpoint goes and comes back in between', due: 500, course: outage(1000, 1500), ms: 1000 },
  ])('is $ms ms when $when', ({ due, course, ms }) => {
    expect(reachableFor(due, course)).toBe(ms)
  })
})
