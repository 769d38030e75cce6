import { describe, expect, it } from 'vitest'
import type { ErrorClass } from '../../src/engine/driver.ts'
import { ConnectErrors } from '../../src/shared/connect-errors.ts'
import { classifyCauses, isDeadSocket, isTlsMismatch } from '../../src/shared/network-errors.ts'

it.each([
  ['ECONNRESET', true],
  ['EPIPE', true],
  ['ETIMEDOUT', true],
  ['EHOSTUNREACH', true],
  ['ERR_SOCKET_CLOSED', true],
  ['ERR_STREAM_WRITE_AFTER_END', true],
  ['ECONNREFUSED', false],
  ['ENOTFOUND', false],
  ['XECONNRESET', false],
  [1045, false],
  [undefined, false],
])('isDeadSocket(%j) is %j', (code, dead) => {
  expect(isDeadSocket(code)).toBe(dead)
})

it.each([
  ['ERR_TLS_CERT_ALTNAME_INVALID', true],
  ['CERT_HAS_EXPIRED', true],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', true],
  ['SELF_SIGNED_CERT_IN_CHAIN', true],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', true],
  ['ERR_SSL_WRONG_VERSION_NUMBER', true],
  ['ERR_OSSL_UNSUPPORTED', true],
  ['ECONNRESET', false],
  [undefined, false],
])('isTlsMismatch(%j) is %j', (code, mismatch) => {
  expect(isTlsMismatch(code)).toBe(mismatch)
})

describe('classifyCauses', () => {
  const known = ({ message }: Error): ErrorClass | undefined => (message === 'known' ? 'application' : undefined)

  it('finds what an error or one of its causes means', () => {
    expect(classifyCauses(new Error('known'), known)).toBe('application')
    expect(classifyCauses(new Error('a', { cause: new Error('b', { cause: new Error('known') }) }), known)).toBe('application')
  })

  it.each([['known'], [undefined], [{ message: 'known' }], [new Error('unknown')]])('calls %o transient', (error) => {
    expect(classifyCauses(error, known)).toBe('transient')
  })

  it('does not search without end', () => {
    const circle = new Error('a')
    circle.cause = circle
    expect(classifyCauses(circle, known)).toBe('transient')
  })
})

it('ConnectErrors knows the very errors that it was given', () => {
  const errors = new ConnectErrors()
  const one = new Error('same')
  errors.add(one)
  errors.add('a text')
  expect([one, new Error('same'), 'a text', undefined].map((error) => errors.has(error))).toEqual([true, false, false, false])
})
