import { status } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { ANSWERED, classifyGrpcError, GrpcConnectionError } from '../../src/drivers/grpc-errors.ts'

/** An error as grpc-js makes it of a call's status. */
const ended = (code: status, details = 'says the server'): Error =>
  Object.assign(new Error(`${code} ${status[code]}: ${details}`), { code, details, metadata: {} })

describe('the status of a call', () => {
  it.each([
    ['CANCELLED', 'application'],
    ['UNKNOWN', 'application'],
    ['INVALID_ARGUMENT', 'application'],
    ['DEADLINE_EXCEEDED', 'transient'],
    ['NOT_FOUND', 'application'],
    ['ALREADY_EXISTS', 'application'],
    ['PERMISSION_DENIED', 'application'],
    ['RESOURCE_EXHAUSTED', 'application'],
    ['FAILED_PRECONDITION', 'application'],
    ['ABORTED', 'application'],
    ['OUT_OF_RANGE', 'application'],
    ['UNIMPLEMENTED', 'application'],
    ['INTERNAL', 'application'],
    ['UNAVAILABLE', 'transient'],
    ['DATA_LOSS', 'application'],
    ['UNAUTHENTICATED', 'application'],
  ] as const)('%s is %s', (name, meaning) => {
    expect(classifyGrpcError(ended(status[name]), false)).toBe(meaning)
  })

  it.each([
    [status.UNAVAILABLE, 'Connection dropped', 'fatal'],
    [status.UNAVAILABLE, 'read ECONNRESET', 'fatal'],
    [status.UNAVAILABLE, 'write EPIPE', 'fatal'],
    [status.UNAVAILABLE, 'No connection established. Last error: …', 'fatal'],
    [status.UNAVAILABLE, 'Channel closed before call started', 'transient'],
    [status.UNAVAILABLE, 'Stream refused by server', 'transient'],
    [status.INTERNAL, 'Received RST_STREAM with code 2 (Internal server error)', 'transient'],
    [status.CANCELLED, 'Received RST_STREAM with code 8', 'transient'],
    // The words of a server's own.
    [status.INTERNAL, 'read ECONNRESET from the database', 'application'],
  ])('%i “%s” is %s', (code, details, meaning) => {
    expect(classifyGrpcError(ended(code, details), false)).toBe(meaning)
  })
})

it.each(['Connection dropped', 'read ECONNRESET'])('“%s” over a connection that is open is transient', (details) => {
  const error = Object.assign(ended(status.UNAVAILABLE, details), { [ANSWERED]: true })
  expect(classifyGrpcError(error, false)).toBe('transient')
})

describe('another error of a connection in use', () => {
  it.each([
    ['a call refused after the loss of the connection', new GrpcConnectionError('lost', 'gone'), 'fatal'],
    ['a call refused after a GOAWAY', new GrpcConnectionError('leaving', 'going'), 'transient'],
    ["the application's mistake", new TypeError('x is not a function'), 'transient'],
    ['a code that is no status', Object.assign(new Error('x'), { code: 99 }), 'transient'],
    ['a code of the system', Object.assign(new Error('x'), { code: 'ECONNRESET' }), 'transient'],
    ['a text', 'UNAVAILABLE', 'transient'],
    ['nothing', undefined, 'transient'],
  ])('%s is %s', (_, error, meaning) => {
    expect(classifyGrpcError(error, false)).toBe(meaning)
  })

  it('is found inside what an application wraps around it', () => {
    expect(classifyGrpcError(new Error('outer', { cause: ended(status.NOT_FOUND) }), false)).toBe('application')
  })
})

describe('an error of a connect', () => {
  it.each([
    ['No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1', 'transient'],
    ['No connection established. Last error: read ECONNRESET', 'transient'],
    ['Name resolution failed for target dns:nowhere:1', 'transient'],
    ['No connection established. Last error: Failed to connect', 'transient'],
    ['No connection established. Last error: self-signed certificate', 'fatal'],
    ['No connection established. Last error: certificate has expired', 'fatal'],
    ['No connection established. Last error: unable to verify the first certificate', 'fatal'],
    ["No connection established. Last error: Hostname/IP does not match certificate's altnames", 'fatal'],
    ['No connection established. Last error: error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required', 'fatal'],
    ['No connection established. Last error: error:0A00010B:SSL routines:ssl3_get_record:wrong version number', 'fatal'],
    ['No connection established. Last error: Protocol error', 'fatal'],
  ])('“%s” is %s', (details, meaning) => {
    expect(classifyGrpcError(ended(status.UNAVAILABLE, details), true)).toBe(meaning)
  })
})

it('GrpcConnectionError has the shape of an error of grpc-js, and keeps its cause', () => {
  const cause = new Error('read ECONNRESET')
  expect(new GrpcConnectionError('lost', 'the connection is lost', cause)).toMatchObject({
    name: 'GrpcConnectionError',
    message: '14 UNAVAILABLE: the connection is lost',
    code: status.UNAVAILABLE,
    details: 'the connection is lost',
    metadata: expect.anything(),
    cause,
  })
})
