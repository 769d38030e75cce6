import { describe, expect, it } from 'vitest'
import { classifyAmqpError } from '../../src/drivers/amqp-errors.ts'

const closed = (code: number | string): Error => Object.assign(new Error(`${code} says the broker`), { code })
const illegal = (message: string): Error => Object.assign(new Error(message), { name: 'IllegalOperationError' })

describe('an error of a connection in use', () => {
  it.each([311, 313, 403, 404, 405, 406])('%i ends a channel: application', (code) => {
    expect(classifyAmqpError(closed(code), false)).toBe('application')
  })

  it.each([320, 402, 501, 502, 503, 504, 505, 506, 530, 540, 541])('%i ends the connection: fatal', (code) => {
    expect(classifyAmqpError(closed(code), false)).toBe('fatal')
  })

  it.each([
    [closed('ECONNRESET'), 'fatal'],
    [new Error('Heartbeat timeout'), 'fatal'],
    [new Error('Unexpected close'), 'fatal'],
    [new Error('Socket closed abruptly during opening handshake'), 'fatal'],
    [illegal('Connection closed (by client)'), 'fatal'],
    [illegal('Connection closing'), 'fatal'],
    [illegal('Channel closed'), 'application'],
    [new Error('Channel ended, no reply will be forthcoming'), 'application'],
    [new Error('channel closed'), 'application'],
    [new Error('message nacked'), 'application'],
    [closed(999), 'transient'],
    [new TypeError('x is not a function'), 'transient'],
    [undefined, 'transient'],
  ])('%s is %s', (error, meaning) => {
    expect(classifyAmqpError(error, false)).toBe(meaning)
  })
})

describe('an error of a connect', () => {
  it.each([
    ['Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"', 'fatal'],
    ['SASL mechanism PLAIN is not provided by the server', 'fatal'],
    ['Expected ConnectionOpenOk; got <ConnectionClose channel:0>', 'transient'],
    ['connect ECONNREFUSED 127.0.0.1:5672', 'transient'],
  ])('“%s” is %s', (message, meaning) => {
    expect(classifyAmqpError(new Error(message), true)).toBe(meaning)
  })

  it('is fatal when certificates do not fit', () => {
    expect(classifyAmqpError(closed('DEPTH_ZERO_SELF_SIGNED_CERT'), true)).toBe('fatal')
  })
})
