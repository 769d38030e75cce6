import { inspect } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { resolveSshOptions, type SshOptions, secretsOf } from '../../src/drivers/ssh-options.ts'
import { platforms } from '../../src/drivers/ssh-platforms.ts'
import { ConfigError, type ConfigProblem } from '../../src/engine/errors.ts'
import { makeUserKey } from '../support/devices.ts'

const SECRET = 'correct-horse'
const FINGERPRINT = 'SHA256:MeJTEC2I1OooHSPEGDZwm+mv1tI7zdsc/zYU6SaDj8A'
const host = { host: 'router-17', username: 'ops' } as const
const plain = makeUserKey()
const locked = makeUserKey(SECRET)

/** The problems of options that must be refused. */
function problemsOf(options: unknown): readonly ConfigProblem[] {
  try {
    resolveSshOptions(options as SshOptions)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET)
    expect(inspect(error, { depth: 9 })).not.toContain('PRIVATE KEY')
    return error.problems
  }
  throw new Error('the options were not refused')
}

describe('the options of ssh()', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  it.each([
    [{ host: '' }, 'host', "''"],
    [{ host: undefined }, 'host', 'nothing'],
    [{ username: undefined }, 'username', 'nothing'],
    [{ user: 'ops' }, 'user', 'an unknown option'],
    [{ toString: 'x' }, 'toString', 'an unknown option'],
    [{ port: 0 }, 'port', '0'],
    [{ port: '22' }, 'port', "'22'"],
    [{ password: 12_345 }, 'password', 'a number'],
    [{ password: [SECRET] }, 'password', 'an array'],
    [{ passwort: SECRET }, 'passwort', 'an unknown option'],
    [{ privateKey: SECRET }, 'privateKey', 'what cannot be used (Unsupported key format)'],
    [{ privateKey: plain.public }, 'privateKey', 'what cannot be used (it is a public key)'],
    [{ privateKey: locked.private }, 'privateKey', expect.stringContaining('no passphrase given')],
    [{ privateKey: locked.private, passphrase: 'wrong' }, 'privateKey', expect.stringContaining('what cannot be used')],
    [{ privateKey: {} }, 'privateKey', 'an object'],
    [{ passphrase: SECRET }, 'passphrase', 'one without a privateKey'],
    [{ agent: false }, 'agent', 'false'],
    [{ keyboardInteractive: [SECRET] }, 'keyboardInteractive', 'an array'],
    [{ hostKey: true }, 'hostKey', 'true'],
    [{ hostKey: 'accept-any' }, 'hostKey', "'accept-any'"],
    [{ hostKey: 'MD5:00:11' }, 'hostKey', "'MD5:00:11'"],
    [{ hostKey: `${FINGERPRINT}=` }, 'hostKey', `'${FINGERPRINT}='`],
    [{ hostKey: [] }, 'hostKey', 'an array'],
    [{ hostKey: {} }, 'hostKey', 'an object'],
    [{ hostKey: { knownHosts: [] } }, 'hostKey', 'an object'],
    [{ hostKey: { knownHosts: 'f', strict: false } }, 'hostKey', 'an object'],
    [{ algorithms: 'old' }, 'algorithms', "'old'"],
    [{ algorithms: { kex: 'x' } }, 'algorithms', 'an object'],
    [{ algorithms: { ciphers: ['aes128-cbc'] } }, 'algorithms', 'an object'],
    [{ algorithms: { kex: ['rot13'] } }, 'algorithms', 'what ssh2 does not have (Unsupported algorithm: rot13)'],
    [{ jump: 'bastion' }, 'jump', "'bastion'"],
    [{ jump: { username: 'ops' } }, 'jump.host', 'nothing'],
    [{ jump: { ...host, port: -1 } }, 'jump.port', '-1'],
    [{ jump: { ...host, keepalive: 5000 } }, 'jump.keepalive', 'an unknown option'],
    [{ jump: { ...host, jump: { ...host, passwort: SECRET } } }, 'jump.jump.passwort', 'an unknown option'],
    [{ jump: { ...host, privateKey: SECRET } }, 'jump.privateKey', expect.stringContaining('what cannot be used')],
    [{ localAddress: 7 }, 'localAddress', '7'],
    [{ localAddress: '127.0.0.1', jump: { ...host } }, 'localAddress', 'one beside jump'],
    [{ maxLeasesPerConnection: 0 }, 'maxLeasesPerConnection', '0'],
    [{ maxLeasesPerConnection: 2, cli: { platform: 'linux' } }, 'maxLeasesPerConnection', 'more than 1 beside cli'],
    [{ keepalive: 10 }, 'keepalive', '10'],
    [{ keepalive: 'soon' }, 'keepalive', "'soon'"],
    [{ keepaliveMisses: 0 }, 'keepaliveMisses', '0'],
    [{ commandTimeout: -1 }, 'commandTimeout', '-1'],
    [{ maxOutput: 0 }, 'maxOutput', '0'],
    [{ healthCommand: 7 }, 'healthCommand', '7'],
    [{ cli: 'cisco_iosxe' }, 'cli', "'cisco_iosxe'"],
    [{ cli: {} }, 'cli.platform', 'nothing'],
    [{ cli: { platform: 'cisco_ios' } }, 'cli.platform', "'cisco_ios'"],
    [{ cli: { platform: 'toString' } }, 'cli.platform', "'toString'"],
    [{ cli: { platform: 'linux', enableSecret: [SECRET] } }, 'cli.enableSecret', 'an array'],
    [{ cli: { platform: 'linux', level: 'config' } }, 'cli.level', "'config'"],
    [{ cli: { platform: 'linux', columns: 40 } }, 'cli.columns', '40'],
    [{ cli: { platform: 'linux', newline: '' } }, 'cli.newline', "''"],
    [{ cli: { platform: 'linux', encoding: 'utf-9' } }, 'cli.encoding', "'utf-9'"],
    [{ cli: { platform: 'linux', healthCommand: 'a\nb' } }, 'cli.healthCommand', "'a\nb'"],
    [{ cli: { platform: 'linux', settle: '1' } }, 'cli.settle', "'1'"],
    [{ cli: { platform: { ...platforms.linux, levels: [] } } }, 'cli.platform.levels', 'an array'],
  ])('refuses wrong options, number %#: $1', (options, path, given) => {
    expect(problemsOf({ ...host, ...options })).toMatchObject([{ path, given }])
  })

  it.each([42, null, 'router-17'])('refuses %j instead of options', (options) => {
    expect(problemsOf(options)).toMatchObject([{ path: 'options', allowed: 'an object' }])
  })

  it('names every problem at once, with what is allowed', () => {
    expect(problemsOf({ port: -1, hostKey: 'no', jump: { host: 'b' }, cli: { platform: 'x', level: '' } })).toEqual([
      { path: 'port', given: '-1', allowed: 'a whole number from 1 to 65535' },
      { path: 'hostKey', given: "'no'", allowed: expect.stringContaining("'accept-any-insecure'") },
      { path: 'host', given: 'nothing', allowed: 'a text that is not empty' },
      { path: 'username', given: 'nothing', allowed: 'a text that is not empty' },
      { path: 'jump.username', given: 'nothing', allowed: 'a text that is not empty' },
      { path: 'cli.platform', given: "'x'", allowed: expect.stringContaining('cisco_iosxe') },
      { path: 'cli.level', given: "''", allowed: 'a text that is not empty' },
    ])
  })

  it('refuses the agent of an environment that has none', () => {
    vi.stubEnv('SSH_AUTH_SOCK', '')
    expect(problemsOf({ ...host, agent: true })).toMatchObject([{ path: 'agent' }])
    vi.stubEnv('SSH_AUTH_SOCK', '/run/agent')
    expect(resolveSshOptions({ ...host, agent: true }).hop.agent).toBe('/run/agent')
  })

  it('have defaults', () => {
    expect(resolveSshOptions(host)).toMatchObject({
      hop: { host: 'router-17', port: 22, jump: undefined },
      keepaliveMs: 30_000,
      keepaliveMisses: 3,
      commandTimeoutMs: 60_000,
      maxOutput: 16_777_216,
      healthCommand: 'echo',
    })
  })

  it.each([
    { hostKey: FINGERPRINT },
    { hostKey: [FINGERPRINT, FINGERPRINT] },
    { hostKey: { knownHosts: 'file' } },
    { hostKey: { knownHosts: ['file', 'other'] } },
    { hostKey: () => true },
    { hostKey: 'accept-any-insecure' },
    { algorithms: 'legacy' },
    { algorithms: { kex: ['diffie-hellman-group1-sha1'], cipher: undefined } },
    { jump: { acquire: () => Promise.reject(new Error('none')) } },
    { localAddress: '127.0.0.1' },
    { maxLeasesPerConnection: 10 },
    { healthCommand: '' },
    { keepalive: 0 },
    { commandTimeout: 0 },
    { privateKey: locked.private, passphrase: SECRET },
    { privateKey: Buffer.from(plain.private) },
    { cli: { platform: 'cisco_iosxe', level: 'exec', echo: false } },
    { cli: { platform: platforms.linux } },
  ] as const)('take right options, number %#', (options) => {
    expect(() => resolveSshOptions({ ...host, ...options } as SshOptions)).not.toThrow()
  })

  it('know every secret, on the whole way', () => {
    const jump = { ...host, password: 'b', jump: { ...host, privateKey: plain.private, passphrase: 'c' } }
    expect(secretsOf({ ...host, password: 'a', jump }).filter((secret) => secret !== undefined)).toEqual(['a', 'b', plain.private, 'c'])
  })
})
