import { describe, expect, it } from 'vitest'
import { classifyTcpError, TcpError, type TcpErrorCode } from '../../src/drivers/tcp-errors.ts'

const system = (code: string): Error => Object.assign(new Error(`read ${code}`), { code, syscall: 'read' })
const own = (code: TcpErrorCode): TcpError => new TcpError(code, 'says the driver')

describe('an error of a connection in use', () => {
  it.each<[TcpErrorCode, string]>([
    ['CLOSED', 'fatal'],
    ['BAD_FRAME', 'fatal'],
    ['UNASKED_FRAME', 'fatal'],
    ['OUT_OF_STEP', 'fatal'],
    ['TIMEOUT', 'transient'],
    ['BAD_DATA', 'application'],
    ['RELEASED', 'application'],
  ])('%s is %s', (code, meaning) => {
    expect(classifyTcpError(own(code), false)).toBe(meaning)
  })

  it.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ERR_STREAM_DESTROYED'])('%s is fatal', (code) => {
    expect(classifyTcpError(system(code), false)).toBe('fatal')
  })

  it.each([
    ["the application's mistake", new TypeError('x is not a function')],
    ['an abort', new DOMException('aborted', 'AbortError')],
    ["another peer's refusal", system('ECONNREFUSED')],
    ['a text', 'CLOSED'],
    ['nothing', undefined],
  ])('%s is transient', (_, error) => {
    expect(classifyTcpError(error, false)).toBe('transient')
  })

  it('is found inside what an application wraps around it, and not searched for without end', () => {
    expect(classifyTcpError(new Error('outer', { cause: own('BAD_DATA') }), false)).toBe('application')
    const circle = new Error('a')
    circle.cause = circle
    expect(classifyTcpError(circle, false)).toBe('transient')
  })
})

describe('an error of a connect', () => {
  it.each(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'ENOENT'])('%s is transient', (code) => {
    expect(classifyTcpError(system(code), true)).toBe('transient')
  })

  it('is transient when the peer hangs up, or says what can not be understood', () => {
    for (const code of ['CLOSED', 'BAD_FRAME', 'UNASKED_FRAME'] as const) expect(classifyTcpError(own(code), true)).toBe('transient')
  })

  it.each(['DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_SSL_WRONG_VERSION_NUMBER'])(
    '%s is fatal: the two sides cannot agree',
    (code) => {
      expect(classifyTcpError(system(code), true)).toBe('fatal')
    },
  )
})

it('TcpError keeps its cause, if it has one', () => {
  const cause = system('ECONNRESET')
  expect(new TcpError('CLOSED', 'the connection has ended', cause)).toMatchObject({ name: 'TcpError', code: 'CLOSED', cause })
  expect('cause' in own('TIMEOUT')).toBe(false)
})
