import { expect, test } from 'vitest'
import { draw } from '../src/charts.ts'

const at = (x: number, median: number) => ({ x, y: { median, low: median * 0.9, high: median * 1.1 } })

test('a picture has its title, its axes and the name of each curve', async () => {
  const svg = await draw({
    title: 'One acquire',
    x: 'connections',
    y: 'ns',
    curves: [
      { name: 'idle', points: [at(1, 140), at(100, 150), at(10_000, 160)] },
      { name: 'all in use', points: [at(1, 3_000), at(100, 3_100), at(10_000, 3_300)] },
    ],
  })
  expect(svg).toMatch(/^<svg /)
  for (const text of ['One acquire', 'connections', 'ns', 'idle', 'all in use', '10,000']) expect(svg).toContain(`>${text}<`)
})
