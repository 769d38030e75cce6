import { describe, expect, it } from 'vitest'
import {
  CliCommandError,
  classifySshError,
  SSH_ERROR_CODES,
  SshError,
  type SshErrorCode,
  saysNoSessions,
} from '../../src/drivers/ssh-errors.ts'
import { connectFailure } from '../../src/drivers/ssh-loss.ts'

const system = (code: string): Error => Object.assign(new Error(`read ${code}`), { code, syscall: 'read' })

describe('saysNoSessions', () => {
  it.each([
    '% No more sessions: all VTY lines are in use',
    'No free sessions',
    'no available vty',
    'sorry, maximum number of sessions reached',
    'Maximum number of sessions exceeded.',
    'Too many sessions',
    'Too many concurrent connections',
    'too many users logged in',
    'All user interfaces are used, please try later',
    'all vty lines are busy',
    'The number of users has reached the upper limit',
    'The maximum number of users has been reached.',
    'Session limit reached',
    'User session limit exceeded',
    'resource shortage',
  ])('understands “%s”', (text) => {
    expect(saysNoSessions(text)).toBe(true)
  })

  it("understands SSH's own reason, whatever the text", () => {
    expect(saysNoSessions('bye', 12)).toBe(true)
    expect(saysNoSessions('bye', 11)).toBe(false)
  })

  it.each([
    'Authorized access only. All sessions are recorded.',
    'Too many authentication failures',
    'Connection reset',
    'permission denied',
    '',
  ])('does not take “%s” for it', (text) => {
    expect(saysNoSessions(text)).toBe(false)
  })
})

describe('an error of a session in use', () => {
  it.each(Object.entries(SSH_ERROR_CODES))('with the code %s means what the table says', (code, [connecting, inUse]) => {
    const error = new SshError(code as SshErrorCode, 'x')
    expect([classifySshError(error, true), classifySshError(error, false)]).toEqual([connecting, inUse])
    expect(error.name).toBe('SshError')
  })

  it.each([
    ['a lost connection', new SshError('SSH_CONNECTION_LOST', 'x'), 'fatal'],
    ['a CLI that has lost step', new SshError('CLI_TIMEOUT', 'x'), 'fatal'],
    ['a command that took too long', new SshError('SSH_TIMEOUT', 'x'), 'transient'],
    ['a device that refuses a command', new CliCommandError('x', 'c', 'o'), 'application'],
    ['a channel that is refused', new SshError('SSH_NO_SESSIONS', 'x'), 'transient'],
    ["ssh2's word for a connection that is gone", new Error('Not connected'), 'fatal'],
    ["ssh2's word for an answer that did not come", new Error('No response from server'), 'fatal'],
    ["ssh2's word for a channel that is refused", new Error('(SSH) Channel open failure: open failed'), 'transient'],
    ['a dead socket', system('ECONNRESET'), 'fatal'],
    ["another server's refusal", system('ECONNREFUSED'), 'transient'],
    ["the application's mistake", new TypeError('x is not a function'), 'transient'],
    ['a text', 'Not connected', 'transient'],
    ['nothing', undefined, 'transient'],
  ])('that is %s is %s', (_, error, meaning) => {
    expect(classifySshError(error, false)).toBe(meaning)
  })

  it('is found inside what an application wraps around it', () => {
    expect(classifySshError(new Error('backup failed', { cause: new CliCommandError('x', 'c', 'o') }), false)).toBe('application')
  })
})

describe('an error of a connect', () => {
  it.each([
    ['wrong credentials', new SshError('SSH_AUTHENTICATION', 'x'), 'fatal'],
    ['a host key that is not trusted', new SshError('SSH_HOST_KEY', 'x'), 'fatal'],
    ['algorithms that do not fit', new SshError('SSH_ALGORITHMS', 'x'), 'fatal'],
    ['a wrong enable secret', new SshError('CLI_SECRET', 'x'), 'fatal'],
    ['no free session', new SshError('SSH_NO_SESSIONS', 'x'), 'transient'],
    ['a peer that hangs up', new SshError('SSH_CONNECTION_LOST', 'x'), 'transient'],
    ['no prompt', new SshError('CLI_NO_PROMPT', 'x'), 'transient'],
    ['a refused socket', system('ECONNREFUSED'), 'transient'],
    ['a reset socket', system('ECONNRESET'), 'transient'],
    ['anything else', new Error('x'), 'transient'],
  ])('%s is %s', (_, error, meaning) => {
    expect(classifySshError(error, true)).toBe(meaning)
  })
})

describe('connectFailure', () => {
  const known = { name: 'router-17:22', said: '', login: undefined }

  it('leaves the errors of the system as they are: they name the address and have codes of their own', () => {
    const error = Object.assign(system('ECONNREFUSED'), { level: 'client-socket' })
    expect(connectFailure(error, known)).toBe(error)
  })

  it('says of algorithms that do not fit what to do', () => {
    const error = Object.assign(new Error('Handshake failed: no matching key exchange algorithm'), { level: 'handshake' })
    expect(connectFailure(error, known)).toMatchObject({ code: 'SSH_ALGORITHMS', message: expect.stringContaining("algorithms: 'legacy'") })
  })

  it('understands a device without a free session by its reason, its text or its banner', () => {
    const withReason = Object.assign(new Error('TOO_MANY_CONNECTIONS'), { code: 12 })
    expect(connectFailure(withReason, known)).toMatchObject({ code: 'SSH_NO_SESSIONS' })
    expect(connectFailure(new Error('too many users'), known)).toMatchObject({ code: 'SSH_NO_SESSIONS' })
    const said = { ...known, said: 'No more sessions available\r\n' }
    const error = connectFailure(new Error('Connection lost before handshake'), said)
    expect(error).toMatchObject({ code: 'SSH_NO_SESSIONS', message: expect.stringContaining('it said: "No more sessions available"') })
  })

  it('takes any other end for one that may not come again', () => {
    expect(connectFailure(new Error('Connection lost before handshake'), known)).toMatchObject({ code: 'SSH_CONNECTION_LOST' })
  })
})
