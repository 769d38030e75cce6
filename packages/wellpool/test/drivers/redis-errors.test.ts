import { ErrorReply, MultiErrorReply, SimpleError, WatchError } from 'redis'
import { describe, expect, it } from 'vitest'
import { classifyRedisError } from '../../src/drivers/redis-errors.ts'
import { ConfigError } from '../../src/engine/errors.ts'

const reply = (message: string): Error => new SimpleError(message)
const system = (code: string): Error => Object.assign(new Error(`read ${code}`), { code, syscall: 'read' })

describe('an error of a connection in use', () => {
  it.each([
    ["READONLY You can't write against a read only replica.", 'fatal'],
    ['NOAUTH Authentication required.', 'fatal'],
    ['LOADING Redis is loading the dataset in memory', 'transient'],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'transient'],
    ['BUSY Redis is busy running a script.', 'transient'],
    ['CLUSTERDOWN Hash slot not served', 'transient'],
    ['UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)', 'transient'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'application'],
    ['MOVED 3999 127.0.0.1:6381', 'application'],
    ['ASK 3999 127.0.0.1:6381', 'application'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'application'],
    ["CROSSSLOT Keys in request don't hash to the same slot", 'application'],
    ["NOPERM User app has no permissions to run the 'flushall' command", 'application'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'application'],
    ['MISCONF Redis is configured to save RDB snapshots', 'application'],
    ['NOREPLICAS Not enough good replicas to write.', 'application'],
    ['NOSCRIPT No matching script. Please use EVAL.', 'application'],
    ['EXECABORT Transaction discarded because of previous errors.', 'application'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'application'],
    ["ERR unknown command 'x'", 'application'],
    ["ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -READONLY You can't write against a replica.", 'fatal'],
    ['ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -WRONGTYPE Operation against a key', 'application'],
    ["ERR Error running script (call to f_1): @user_script:1: user_script:1: attempt to index global 'x' (a nil value)", 'application'],
    ['SOMEWORD of a module', 'application'],
    ['in words of a script', 'application'],
  ])('“%s” is %s', (message, meaning) => {
    expect(classifyRedisError(reply(message), false)).toBe(meaning)
    expect(classifyRedisError(new ErrorReply(message), false)).toBe(meaning)
  })

  it('is known by its first word where the names of classes were lost', () => {
    expect(classifyRedisError(new Error("READONLY You can't write"), false)).toBe('fatal')
    expect(classifyRedisError(new Error('OOM command not allowed'), false)).toBe('application')
  })

  it('of a transaction is the worst of its replies', () => {
    const errors = [reply('WRONGTYPE x'), reply('READONLY x')]
    expect(classifyRedisError(new MultiErrorReply(['OK', ...errors] as never, [1, 2]), false)).toBe('fatal')
    expect(classifyRedisError(new MultiErrorReply(['OK', errors[0]] as never, [1]), false)).toBe('application')
  })

  it('is the application’s when a key that was watched has changed', () => {
    expect(classifyRedisError(new WatchError(), false)).toBe('application')
  })

  it.each([
    'The client is closed',
    'The client is offline',
    'Disconnects client',
    'Socket closed unexpectedly',
    "Socket timeout timeout. Expecting data, but didn't receive any in 5000ms.",
    'Unknown RESP type 72 "H"',
  ])('“%s” is fatal', (message) => {
    expect(classifyRedisError(new Error(message), false)).toBe('fatal')
  })

  it.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH'])('%s is fatal', (code) => {
    expect(classifyRedisError(system(code), false)).toBe('fatal')
  })

  it.each([
    ['a command that was given up', new Error('The command was aborted')],
    ['a queue that is full', new Error('The queue is full')],
    ["the application's mistake", new TypeError('x is not a function')],
    ["another server's refusal", system('ECONNREFUSED')],
    ['a text', 'READONLY'],
    ['nothing', undefined],
  ])('%s is transient', (_, error) => {
    expect(classifyRedisError(error, false)).toBe('transient')
  })

  it('is found inside what a library wraps around it', () => {
    expect(classifyRedisError(new Error('the cache failed', { cause: reply('READONLY x') }), false)).toBe('fatal')
  })
})

describe('an error of a connect', () => {
  it.each([
    ['WRONGPASS invalid username-password pair or user is disabled.', 'fatal'],
    ['NOAUTH HELLO must be called with the client already authenticated', 'fatal'],
    ["NOPERM User app has no permissions to run the 'ping' command", 'fatal'],
    ['NOPROTO unsupported protocol version', 'fatal'],
    ['DENIED Redis is running in protected mode', 'fatal'],
    ['ERR DB index is out of range', 'fatal'],
    ["ERR unknown command 'HELLO'", 'fatal'],
    ['ERR max number of clients reached', 'transient'],
    ['LOADING Redis is loading the dataset in memory', 'transient'],
    ['MASTERDOWN Link with MASTER is down', 'transient'],
    ['BUSY Redis is busy running a script.', 'transient'],
  ])('“%s” is %s', (message, meaning) => {
    expect(classifyRedisError(reply(message), true)).toBe(meaning)
  })

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'])('%s is transient', (code) => {
    expect(classifyRedisError(system(code), true)).toBe('transient')
  })

  it.each(['Socket closed unexpectedly', 'Connection timeout'])('“%s” is transient', (message) => {
    expect(classifyRedisError(new Error(message), true)).toBe('transient')
  })

  it.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', "Hostname/IP does not match certificate's altnames"],
    [undefined, 'certificate has expired'],
  ])('is fatal when the two sides cannot agree (%s: %s)', (code, message) => {
    expect(classifyRedisError(Object.assign(new Error(message), { code }), true)).toBe('fatal')
  })

  it('is fatal when the options turn out to be wrong', () => {
    expect(classifyRedisError(new ConfigError([{ path: 'a', given: 'b', allowed: 'c' }]), true)).toBe('fatal')
  })
})
