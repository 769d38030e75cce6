import { describe, expect, it } from 'vitest'
import { classifyHttp2Error, NoHttp2Error } from '../../src/drivers/http2-errors.ts'

const coded = (code: string, message = 'says Node'): Error => Object.assign(new Error(message), { code })
const reset = (name: string): Error => coded('ERR_HTTP2_STREAM_ERROR', `Stream closed with error code NGHTTP2_${name}`)

describe('a stream that the peer has reset', () => {
  it.each([
    ['NO_ERROR', 'application'],
    ['CANCEL', 'application'],
    ['CONNECT_ERROR', 'application'],
    ['INTERNAL_ERROR', 'application'],
    ['HTTP_1_1_REQUIRED', 'application'],
    ['REFUSED_STREAM', 'transient'],
    ['ENHANCE_YOUR_CALM', 'transient'],
    ['STREAM_CLOSED', 'transient'],
    ['PROTOCOL_ERROR', 'transient'],
    ['FLOW_CONTROL_ERROR', 'transient'],
    ['FRAME_SIZE_ERROR', 'transient'],
    ['SOMETHING_NEW', 'transient'],
  ])('with %s is %s', (name, meaning) => {
    expect(classifyHttp2Error(reset(name), false)).toBe(meaning)
  })
})

describe('an error of a session in use', () => {
  it.each([
    ['ERR_HTTP2_ERROR', 'fatal', 'what came is no HTTP/2'],
    ['ERR_HTTP2_SESSION_ERROR', 'fatal', 'GOAWAY with an error'],
    ['ERR_HTTP2_INVALID_SESSION', 'fatal', 'the session is over'],
    ['ERR_HTTP2_STREAM_CANCEL', 'fatal', 'the session ended before the stream began'],
    ['ECONNRESET', 'fatal', 'the socket'],
    ['EPIPE', 'fatal', 'the socket'],
    ['ETIMEDOUT', 'fatal', 'the socket'],
    ['ERR_HTTP2_GOAWAY_SESSION', 'transient', 'the peer is leaving, and others may still be at work'],
    ['ERR_HTTP2_PING_CANCEL', 'transient', 'the peer is leaving, and others may still be at work'],
    ['ERR_HTTP2_OUT_OF_STREAMS', 'transient', 'no number is left for a stream'],
    ['ERR_STREAM_PREMATURE_CLOSE', 'transient', 'one stream'],
    ['ERR_STREAM_WRITE_AFTER_END', 'transient', 'one stream'],
    ['ABORT_ERR', 'transient', 'an abort'],
    ['ECONNREFUSED', 'transient', 'of another peer'],
    ['ERR_HTTP2_INVALID_PSEUDOHEADER', 'application', 'a request that can’t be made'],
    ['ERR_HTTP2_HEADER_SINGLE_VALUE', 'application', 'a request that can’t be made'],
    ['ERR_HTTP2_PAYLOAD_FORBIDDEN', 'application', 'a request that can’t be made'],
    ['ERR_INVALID_ARG_TYPE', 'application', 'a request that can’t be made'],
  ])('%s is %s: %s', (code, meaning) => {
    expect(classifyHttp2Error(coded(code), false)).toBe(meaning)
  })

  it.each([
    ["the application's mistake", new TypeError('x is not a function')],
    ['a text', 'ERR_HTTP2_ERROR'],
    ['nothing', undefined],
  ])('%s is transient', (_, error) => {
    expect(classifyHttp2Error(error, false)).toBe('transient')
  })

  it('is found inside what an application wraps around it', () => {
    expect(classifyHttp2Error(new Error('outer', { cause: coded('ERR_HTTP2_INVALID_SESSION') }), false)).toBe('fatal')
  })
})

describe('an error of a connect', () => {
  it.each([
    ['ERR_HTTP2_ERROR', 'fatal'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'fatal'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'fatal'],
    ['ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL', 'fatal'],
    ['ECONNREFUSED', 'transient'],
    ['ECONNRESET', 'transient'],
    ['ENOTFOUND', 'transient'],
    ['ERR_HTTP2_PING_CANCEL', 'transient'],
    ['ERR_HTTP2_SESSION_ERROR', 'transient'],
  ])('%s is %s', (code, meaning) => {
    expect(classifyHttp2Error(coded(code), true)).toBe(meaning)
  })

  it('is fatal when the peer has not agreed to speak HTTP/2', () => {
    expect(classifyHttp2Error(new NoHttp2Error('no'), true)).toBe('fatal')
  })
})
