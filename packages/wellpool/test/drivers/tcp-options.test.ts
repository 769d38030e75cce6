import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { resolveTcpOptions, type TcpOptions } from '../../src/drivers/tcp-options.ts'
import { ConfigError, type ConfigProblem } from '../../src/engine/errors.ts'

const SECRET = 'correct-horse'
const SOUND = { port: 7, framing: 'line', probe: () => {} } as const

/** The problems of options that must be refused. */
function problemsOf(options: unknown): readonly ConfigProblem[] {
  try {
    resolveTcpOptions(options as TcpOptions)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET)
    return error.problems
  }
  throw new Error('the options were not refused')
}

describe('the options of tcp()', () => {
  it.each([
    [{ protocol: '' }, 'protocol', "''"],
    [{ host: 7 }, 'host', '7'],
    [{ port: 0 }, 'port', '0'],
    [{ port: '7' }, 'port', "'7'"],
    [{ tls: 'yes' }, 'tls', "'yes'"],
    [{ framing: 'json' }, 'framing', "'json'"],
    [{ framing: {} }, 'framing', 'an object'],
    [{ framing: { line: '\n', length: { bytes: 4 } } }, 'framing', 'an object'],
    [{ framing: { line: '' } }, 'framing.line', 'an empty text'],
    [{ framing: { line: 10 } }, 'framing.line', 'a number'],
    [{ framing: { length: 4 } }, 'framing.length', '4'],
    [{ framing: { length: {} } }, 'framing.length.bytes', 'nothing'],
    [{ framing: { length: { bytes: 8 } } }, 'framing.length.bytes', '8'],
    [{ framing: { length: { bytes: 4, endian: 'middle' } } }, 'framing.length.endian', "'middle'"],
    [{ framing: { length: { bytes: 4, includesItself: 1 } } }, 'framing.length.includesItself', '1'],
    [{ framing: { length: { bytes: 4, offset: 1 } } }, 'framing.length.offset', 'an unknown option'],
    [{ maxFrameSize: 0 }, 'maxFrameSize', '0'],
    [{ maxFrameSize: 2 ** 30 }, 'maxFrameSize', '1073741824'],
    [{ maxFrameSize: '1MB' }, 'maxFrameSize', "'1MB'"],
    [{ probe: 'PING' }, 'probe', "'PING'"],
    [{ onConnect: 1 }, 'onConnect', '1'],
    [{ onRelease: 1 }, 'onRelease', '1'],
    [{ onUnasked: true }, 'onUnasked', 'true'],
    [{ goodbye: 5 }, 'goodbye', 'a number'],
    [{ goodbye: `two\nlines ${SECRET}` }, 'goodbye', 'what is not one frame'],
    [{ classify: 'fatal' }, 'classify', "'fatal'"],
    [{ secrets: SECRET }, 'secrets', 'a text'],
    [{ secrets: [SECRET, 5] }, 'secrets', 'an array'],
    [{ keepAliveDelay: '10ms' }, 'keepAliveDelay', "'10ms'"],
    [{ path: '/run/socket', port: 7 }, 'port', 'a value beside path, which says it too'],
    [{ path: '/run/socket', port: undefined, host: 'a' }, 'host', 'a value beside path, which says it too'],
    [{ timeout: 5 }, 'timeout', 'an unknown option'],
  ])('refuses %j', (wrong, path, given) => {
    expect(problemsOf({ ...SOUND, ...wrong })).toMatchObject([{ path, given }])
  })

  it.each([undefined, null, 42, 'localhost:7'])('refuses %j', (options) => {
    expect(problemsOf(options)).toMatchObject([{ path: 'options' }])
  })

  it('names every problem at once, with what is allowed', () => {
    expect(problemsOf({ maxFrameSize: -1, secrets: SECRET })).toEqual([
      { path: 'maxFrameSize', given: '-1', allowed: 'a whole number from 1 to 268435456' },
      { path: 'secrets', given: 'a text', allowed: 'texts' },
      { path: 'framing', given: 'nothing', allowed: expect.stringContaining("'line'") },
      { path: 'probe', given: 'nothing', allowed: 'a function' },
      { path: 'port', given: 'nothing', allowed: 'a whole number from 1 to 65535, or path' },
    ])
  })

  it('takes an address or a Unix socket', () => {
    expect(resolveTcpOptions(SOUND).target).toMatchObject({ port: 7, keepAliveMs: 30_000 })
    const { port, ...rest } = SOUND
    expect(port).toBe(7)
    expect(resolveTcpOptions({ ...rest, path: '/run/socket', keepAliveDelay: '2s' }).target).toMatchObject({
      path: '/run/socket',
      keepAliveMs: 2000,
    })
  })
})
