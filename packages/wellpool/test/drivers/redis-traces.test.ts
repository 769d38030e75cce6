import { describe, expect, it } from 'vitest'
import { RedisTraces } from '../../src/drivers/redis-traces.ts'

const after = (...commands: unknown[][]): RedisTraces => {
  const traces = new RedisTraces(2)
  for (const command of commands) traces.see(command)
  return traces
}

describe('RedisTraces', () => {
  it.each([
    [['GET', 'key']],
    [['SET', 'key', 'SELECT']],
    [[Buffer.from('GET'), Buffer.from('key')]],
    [['CLIENT', 'ID']],
    [['CLIENT', 'LIST']],
    [['CLIENT', 'KILL', 'ID', '7']],
    [['CLIENT', 'REPLY', 'ON']],
    [['SELECT', '2']],
    [['UNWATCH']],
    [[undefined]],
    [[]],
  ])('sees none of %j', (command) => {
    expect(after(command)).toMatchObject({ any: false, broken: false, waiting: 0 })
  })

  it.each([
    [['SELECT', '0']],
    [['select', 3]],
    [['WATCH', 'key']],
    [['MULTI']],
    [['AUTH', 'user', 'password']],
    [['HELLO', '2']],
    [['MONITOR']],
    [['READONLY']],
    [['ASKING']],
    [['RESET']],
    [['subscribe', 'news']],
    [['CLIENT', 'SETNAME', 'x']],
    [['client', 'tracking', 'on']],
    [['CLIENT', 'NO-EVICT', 'on']],
    [[Buffer.from('watch'), 'key']],
  ])('sees what %j leaves', (command) => {
    expect(after(command)).toMatchObject({ any: true, broken: false })
  })

  it.each([
    ['a transaction that was carried out', [['WATCH', 'key'], ['MULTI'], ['SET', 'key', '1'], ['EXEC']]],
    ['one that was given up', [['WATCH', 'key'], ['MULTI'], ['DISCARD']]],
    ['keys that are watched no more', [['WATCH', 'key'], ['UNWATCH']]],
    [
      'a database that was left again',
      [
        ['SELECT', '0'],
        ['SELECT', '2'],
      ],
    ],
  ])('sees none of %s', (_, commands) => {
    expect(after(...commands).any).toBe(false)
  })

  it('does not believe that a database was left again within a transaction or a pipeline, which may have failed', () => {
    expect(after(['SELECT', '0'], ['MULTI'], ['SELECT', '2'], ['EXEC']).databaseChanged).toBe(true)
    const traces = after(['SELECT', '0'])
    traces.see(['SELECT', '2'], true)
    expect(traces.databaseChanged).toBe(true)
    traces.see(['SELECT', '2'])
    expect(traces.databaseChanged).toBe(false)
  })

  it('knows that UNWATCH within a transaction does not end it', () => {
    expect(after(['MULTI'], ['UNWATCH']).any).toBe(true)
  })

  it.each([[['CLIENT', 'REPLY', 'OFF']], [['client', 'reply', 'skip']], [['SYNC']], [['PSYNC', '?', '-1']]])(
    'sees that replies can’t be told apart after %j',
    (command) => {
      expect(after(command).broken).toBe(true)
    },
  )

  it.each([
    [['BLPOP', 'key', '0'], true],
    [['wait', '1', '0'], true],
    [['XREAD', 'BLOCK', '0', 'STREAMS', 's', '$'], true],
    [['XREADGROUP', 'GROUP', 'g', 'c', 'block', '0', 'STREAMS', 's', '>'], true],
    [['XREAD', 'STREAMS', 's', '0'], false],
    [['LPOP', 'key'], false],
  ])('counts %j among those that wait: %s', (command, waits) => {
    const traces = new RedisTraces(0)
    expect(traces.see(command)).toBe(waits)
    expect(traces.waiting).toBe(waits ? 1 : 0)
    if (waits) traces.endWait()
    expect(traces).toMatchObject({ waiting: 0, any: false })
  })

  it('is as at the beginning when cleared', () => {
    const traces = after(['WATCH', 'key'], ['MULTI'], ['SELECT', '0'], ['AUTH', 'x'])
    expect(traces.databaseChanged).toBe(true)
    traces.clear()
    expect(traces).toMatchObject({ any: false, databaseChanged: false })
  })
})
