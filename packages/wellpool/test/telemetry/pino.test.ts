import { Writable } from 'node:stream'
import pino from 'pino'
import { describe, expect, it } from 'vitest'
import { createPool } from '../../src/index.ts'
import { createFakeDriver, FakeClock, fail } from '../../src/testing/index.ts'
import { QUIET, setUp } from '../engine/set-up.ts'

interface Line {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

/** A real pino logger, and the lines that it has written. */
function logger(level: pino.Level): { log: pino.Logger; lines: () => Line[]; text: () => string } {
  let text = ''
  const stream = new Writable({
    write(chunk, _, done) {
      text += String(chunk)
      done()
    },
  })
  const lines = (): Line[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  return { log: pino({ level }, stream), lines, text: () => text }
}

describe('pino as the logger of a pool', () => {
  it('gets every event, with its fields and a level of its own', async () => {
    const { log, lines } = logger('debug')
    const { pool, start, clock, borrow } = setUp({ logger: log, minConnections: 1 })
    await start()
    ;(await borrow()).release()
    await clock.until(pool.rebuildConnections({ all: true }))
    const rebuilt = lines().find(({ msg }) => msg === 'rebuildCompleted')
    expect(rebuilt).toMatchObject({
      level: 30,
      pool: 'orders',
      connectionId: expect.any(String),
      reason: { kind: 'manual' },
      newGeneration: 2,
    })
    expect(lines().find(({ msg }) => msg === 'connectionAcquired')?.level).toBe(20)
  })

  it('hears of leases from when its level is lowered to debug', async () => {
    const { log, lines } = logger('info')
    const { borrow, clock } = setUp({ logger: log })
    const acquired = (): number => lines().filter(({ msg }) => msg === 'connectionAcquired').length
    ;(await borrow()).release()
    expect(acquired()).toBe(0)
    log.level = 'debug'
    ;(await borrow()).release()
    await clock.advance(100)
    ;(await borrow()).release()
    await clock.settle()
    expect(acquired()).toBe(1)
    log.level = 'info'
    await clock.advance(100)
    ;(await borrow()).release()
    await clock.settle()
    expect(acquired()).toBe(1)
  })

  it('writes errors with their message and code, and no secret', async () => {
    const { log, lines, text } = logger('trace')
    const clock = new FakeClock()
    const driver = createFakeDriver({ clock })
    const cause = Object.assign(new Error('password authentication failed: hunter2 at postgres://me:sesame@db'), {
      code: '28P01',
      config: { password: 'hunter2' },
    })
    driver.next('connect', fail(cause))
    driver.secrets = () => ['hunter2']
    const pool = createPool(driver, { ...QUIET, clock, logger: log.child({ component: 'db' }) })
    await clock.until(pool.acquire().then((lease) => lease.release()))
    await clock.until(pool.close())
    const failed = lines().find(({ msg }) => msg === 'connectFailed')
    expect(failed).toMatchObject({ level: 40, component: 'db', attempt: 1 })
    expect(lines().find(({ msg }) => msg === 'breakerOpened')?.level).toBe(50)
    expect(text()).not.toMatch(/hunter2|sesame/)
    expect(JSON.stringify(failed?.err)).toContain('password authentication failed: ***')
  })
})
