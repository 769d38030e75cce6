import { beforeEach, describe, expect, test } from 'vitest'
import { Events } from '../../src/engine/events.ts'
import type { Logger } from '../../src/engine/logger.ts'

/** Lets the microtask run in which listeners are called. */
const delivered = (): Promise<void> => Promise.resolve()

const connection = { connectionId: 'orders-1', generation: 1 }

let time = 1000
beforeEach(() => {
  time = 1000
})
const make = (logger?: Logger): Events => new Events('orders', 'postgres', () => time, logger)

/** A logger that writes down what it is told. */
function notebook(): Logger & { lines: [level: string, facts: object, message: string][] } {
  const lines: [string, object, string][] = []
  const at = (level: string) => (facts: object, message: string) => {
    lines.push([level, facts, message])
  }
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

describe('listeners', () => {
  test('get the event with time stamp, pool and protocol', async () => {
    const events = make()
    const heard: unknown[] = []
    events.on('connectionCreated', (event) => heard.push(event))
    events.emit('connectionCreated', connection)
    await delivered()
    expect(heard).toEqual([{ timestamp: 1000, pool: 'orders', protocol: 'postgres', ...connection }])
  })

  test('hear of it after the step that emitted, with the time of that step', async () => {
    const events = make()
    const heard: number[] = []
    events.on('poolPaused', ({ timestamp }) => heard.push(timestamp))
    events.emit('poolPaused', {})
    time = 2000
    expect(heard).toEqual([])
    await delivered()
    expect(heard).toEqual([1000])
  })

  test('hear events in the order in which they were emitted, whatever their names', async () => {
    const events = make()
    const heard: string[] = []
    events.on('poolPaused', () => heard.push('paused'))
    events.on('poolResumed', () => heard.push('resumed'))
    events.emit('poolPaused', {})
    events.emit('poolResumed', {})
    events.emit('poolPaused', {})
    await delivered()
    expect(heard).toEqual(['paused', 'resumed', 'paused'])
  })

  test('that emit while they are called are heard in a later turn, and nothing is lost', async () => {
    const events = make()
    const heard: string[] = []
    events.on('poolPaused', () => {
      heard.push('paused')
      events.emit('poolResumed', {})
    })
    events.on('poolResumed', () => heard.push('resumed'))
    events.emit('poolPaused', {})
    await delivered()
    await delivered()
    expect(heard).toEqual(['paused', 'resumed'])
  })

  test('are called once each, even if added twice', async () => {
    const events = make()
    let calls = 0
    const listener = (): void => {
      calls++
    }
    events.on('poolPaused', listener)
    events.on('poolPaused', listener)
    events.emit('poolPaused', {})
    await delivered()
    expect(calls).toBe(1)
  })

  test.each(['the returned function', 'off'])('are taken off by %s', async (way) => {
    const events = make()
    let calls = 0
    const listener = (): void => {
      calls++
    }
    const takeOff = events.on('poolPaused', listener)
    if (way === 'off') events.off('poolPaused', listener)
    else takeOff()
    expect(events.heard('poolPaused')).toBe(false)
    events.emit('poolPaused', {})
    await delivered()
    expect(calls).toBe(0)
  })

  test('that take themselves off do not keep the others from hearing', async () => {
    const events = make()
    const heard: string[] = []
    const takeOff = events.on('poolPaused', () => {
      heard.push('first')
      takeOff()
    })
    events.on('poolPaused', () => heard.push('second'))
    events.emit('poolPaused', {})
    events.emit('poolPaused', {})
    await delivered()
    expect(heard).toEqual(['first', 'second', 'second'])
  })
})

describe('a listener that fails', () => {
  test('by throwing harms nobody and is reported', async () => {
    const logger = notebook()
    const events = make(logger)
    const fault = new Error('listener broke')
    let heard = 0
    events.on('poolPaused', () => {
      throw fault
    })
    events.on('poolPaused', () => {
      heard++
    })
    events.emit('poolPaused', {})
    await delivered()
    expect(heard).toBe(1)
    expect(logger.lines).toContainEqual(['error', { pool: 'orders', err: fault }, 'a listener of poolPaused threw'])
  })

  test('by rejecting leaves no unhandled rejection and is reported', async () => {
    const logger = notebook()
    const events = make(logger)
    const fault = new Error('listener broke later')
    events.on('poolPaused', (() => Promise.reject(fault)) as () => void)
    events.emit('poolPaused', {})
    await delivered()
    await delivered()
    expect(logger.lines).toContainEqual(['error', { pool: 'orders', err: fault }, 'a listener of poolPaused threw'])
  })
})

describe('with nobody listening', () => {
  test('nothing is heard, so that no payload need be built', () => {
    expect(make().heard('connectionAcquired')).toBe(false)
  })

  test('emit takes no time stamp', () => {
    const events = new Events('orders', 'postgres', () => expect.unreachable(), undefined)
    events.emit('poolPaused', {})
    expect(events.heard('poolPaused')).toBe(false)
  })

  test('a listener of one event does not make others heard', () => {
    const events = make()
    events.on('poolPaused', () => undefined)
    expect(events.heard('poolPaused')).toBe(true)
    expect(events.heard('poolResumed')).toBe(false)
  })
})

describe('the logger', () => {
  test('gets every event as facts, under the event’s name', async () => {
    const logger = notebook()
    const events = make(logger)
    events.emit('connectionAcquired', connection)
    await delivered()
    expect(logger.lines).toEqual([
      ['debug', { timestamp: 1000, pool: 'orders', protocol: 'postgres', ...connection }, 'connectionAcquired'],
    ])
  })

  test('hears failures at a higher level than the daily business', async () => {
    const logger = notebook()
    const events = make(logger)
    const error = new Error('refused')
    events.emit('breakerOpened', { error, retryInMs: 50 })
    events.emit('connectFailed', { connectionId: 'orders-1', error, attempt: 1 })
    events.emit('rebuildCompleted', {
      ...connection,
      reason: { kind: 'manual', detail: '' },
      durationMs: 1,
      oldGeneration: 1,
      newGeneration: 2,
    })
    await delivered()
    expect(logger.lines.map(([level]) => level)).toEqual(['error', 'warn', 'info'])
  })

  test('finds the error of an event where loggers look for one, and listeners where the event has it', async () => {
    const logger = notebook()
    const events = make(logger)
    const error = new Error('refused')
    const heard: object[] = []
    events.on('connectFailed', (event) => heard.push(event))
    events.emit('connectFailed', { connectionId: 'orders-1', error, attempt: 1 })
    await delivered()
    const facts = { timestamp: 1000, pool: 'orders', protocol: 'postgres', connectionId: 'orders-1', attempt: 1 }
    expect(logger.lines).toEqual([['warn', { ...facts, err: error }, 'connectFailed']])
    expect(heard).toEqual([{ ...facts, error }])
  })

  test('that does not write at debug is not told of leases, and of everything else', async () => {
    let level = 'info'
    const logger = { ...notebook(), isLevelEnabled: (asked: string) => asked === level }
    const events = make(logger)
    expect(events.leasesHeard).toBe(false)
    events.emit('connectionAcquired', connection)
    events.emit('connectionCreated', connection)
    events.emit('poolPaused', {})
    await delivered()
    expect(logger.lines.map(([, , message]) => message)).toEqual(['poolPaused'])
    level = 'debug'
    events.noteLevel()
    expect(events.leasesHeard).toBe(true)
    events.emit('connectionAcquired', connection)
    await delivered()
    expect(logger.lines.at(-1)?.[2]).toBe('connectionAcquired')
  })

  test('that throws when it is asked for its level is told everything', () => {
    const isLevelEnabled = (): never => {
      throw new Error('no levels')
    }
    expect(make({ ...notebook(), isLevelEnabled }).leasesHeard).toBe(true)
  })

  test('that throws harms nobody', async () => {
    const broken = (): never => {
      throw new Error('disk full')
    }
    const events = make({ debug: broken, info: broken, warn: broken, error: broken })
    let heard = 0
    events.on('poolPaused', () => {
      heard++
      throw new Error('listener broke')
    })
    events.emit('poolPaused', {})
    events.call('destroy', () => {
      throw new Error('a fault')
    })
    await delivered()
    expect(heard).toBe(1)
  })
})
