import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type Http2Options, resolveHttp2Options } from '../../src/drivers/http2-options.ts'
import { ConfigError, type ConfigProblem } from '../../src/engine/errors.ts'

const SECRET = 'correct-horse'

/** The problems of options that must be refused. */
function problemsOf(options: unknown): readonly ConfigProblem[] {
  try {
    resolveHttp2Options(options as Http2Options)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET)
    return error.problems
  }
  throw new Error('the options were not refused')
}

describe('the options of http2()', () => {
  it.each([
    [{ url: '' }, 'url', 'an empty text'],
    [{ url: 'localhost:8080' }, 'url', 'a text'],
    [{ url: 'ftp://localhost' }, 'url', 'a text'],
    [{ url: 'https://localhost/path' }, 'url', 'a text'],
    [{ url: 'https://localhost?x' }, 'url', 'a text'],
    [{ url: `https://me:${SECRET}@localhost` }, 'url', 'a text'],
    [{ url: new URL('https://localhost') }, 'url', 'an object'],
    [{ tls: true }, 'tls', 'true'],
    [{ settings: [] }, 'settings', 'an array'],
    [{ settings: { initialWindowSize: 2 ** 31 } }, 'settings', expect.stringContaining('initialWindowSize')],
    [{ settings: { maxFrameSize: 8192 } }, 'settings', expect.stringContaining('maxFrameSize')],
    [{ settings: { maxHeaderListSize: '64k' } }, 'settings', expect.stringContaining('maxHeaderListSize')],
    [{ maxLeasesPerConnection: 0 }, 'maxLeasesPerConnection', '0'],
    [{ maxLeasesPerConnection: 1.5 }, 'maxLeasesPerConnection', '1.5'],
    [{ maxLeasesPerConnection: '10' }, 'maxLeasesPerConnection', "'10'"],
    [{ onConnect: {} }, 'onConnect', 'an object'],
    [{ keepAliveDelay: 10 }, 'keepAliveDelay', '10'],
    [{ host: 'localhost' }, 'host', 'an unknown option'],
    [{ url: 'http://localhost', tls: { key: SECRET } }, 'tls', 'options for TLS beside an address without it'],
  ])('refuses %j', (wrong, path, given) => {
    expect(problemsOf({ url: 'https://localhost', ...wrong })).toMatchObject([{ path, given }])
  })

  it('names every problem at once, with what is allowed', () => {
    expect(problemsOf({ settings: 1, keepAliveDelay: 'soon' })).toEqual([
      { path: 'settings', given: '1', allowed: 'an object with settings of HTTP/2' },
      { path: 'keepAliveDelay', given: "'soon'", allowed: expect.stringContaining('a duration') },
      { path: 'url', given: 'nothing', allowed: 'https://host:port or http://host:port, and nothing else' },
    ])
    expect(problemsOf(undefined)).toMatchObject([{ path: 'options', given: 'undefined' }])
  })

  it.each([
    ['https://api.internal', { host: 'api.internal', port: 443, tls: true }],
    ['https://api.internal:8443', { host: 'api.internal', port: 8443, tls: true }],
    ['http://127.0.0.1', { host: '127.0.0.1', port: 80, tls: false }],
    ['http://[::1]:8080/', { host: '::1', port: 8080, tls: false }],
  ])('finds host and port in %s', (url, target) => {
    expect(resolveHttp2Options({ url }).target).toEqual({ ...target, keepAliveMs: 30_000 })
  })
})
