import type ssh2 from 'ssh2'
import { describe, expectTypeOf, test } from 'vitest'
import { createPool, createPools, type Driver, type Pool } from 'wellpool'
import {
  type Cli,
  CliCommandError,
  type CliPlatform,
  definePlatform,
  platforms,
  type RunResult,
  type SshCliSession,
  SshError,
  type SshErrorCode,
  type SshOptions,
  type SshSession,
  ssh,
} from 'wellpool/ssh'
import { type Device, startDevice } from 'wellpool/testing/devices'

const address = { host: 'router-17', username: 'ops', password: 'x' } as const

describe('ssh', () => {
  test('gives sessions, with a CLI when it is asked for one', () => {
    expectTypeOf(ssh(address)).toEqualTypeOf<Driver<SshSession>>()
    expectTypeOf(ssh({ ...address, cli: { platform: 'cisco_iosxe' } })).toEqualTypeOf<Driver<SshCliSession>>()
    expectTypeOf(ssh(address as SshOptions)).toEqualTypeOf<Driver<SshSession>>()
    const pool: Pool<SshCliSession> = createPool(ssh({ ...address, cli: { platform: 'juniper_junos' } }))
    expectTypeOf(pool.use(({ cli }) => cli.send('show version'))).toEqualTypeOf<Promise<string>>()
  })

  test('gives each pool of a set its session', () => {
    const pools = createPools({
      host: ssh(address),
      router: { driver: ssh({ ...address, cli: { platform: 'linux' } }), maxConnections: 1 },
    })
    pools.router.use((session) => {
      expectTypeOf(session).toEqualTypeOf<SshCliSession>()
      expectTypeOf(session.cli).toEqualTypeOf<Cli>()
    })
    pools.host.use((session) => {
      expectTypeOf(session).toEqualTypeOf<SshSession>()
      expectTypeOf(session.run('uptime')).toEqualTypeOf<Promise<RunResult>>()
      expectTypeOf(session.openCli({ platform: 'linux' })).toEqualTypeOf<Promise<Cli>>()
      expectTypeOf(session.client).toEqualTypeOf<ssh2.Client>()
      // @ts-expect-error: this one keeps no CLI
      session.cli
    })
  })

  test('refuses wrong options', () => {
    // @ts-expect-error: where to?
    ssh({ username: 'ops' })
    // @ts-expect-error: misspelt
    ssh({ ...address, passwort: 'x' })
    // @ts-expect-error: a number
    ssh({ ...address, port: '22' })
    // @ts-expect-error: accepting anything has a longer name
    ssh({ ...address, hostKey: 'accept-any' })
    // @ts-expect-error: not a fingerprint of today
    ssh({ ...address, hostKey: 'MD5:00:11:22' })
    // @ts-expect-error: no such platform
    ssh({ ...address, cli: { platform: 'cisco_ios' } })
    // @ts-expect-error: which platform?
    ssh({ ...address, cli: {} })
    // @ts-expect-error: misspelt
    ssh({ ...address, cli: { platform: 'linux', secret: 'x' } })
    // @ts-expect-error: not among the algorithms
    ssh({ ...address, algorithms: { ciphers: ['aes128-cbc'] } })
    // @ts-expect-error: a jump host keeps no CLI
    ssh({ ...address, jump: { ...address, cli: { platform: 'linux' } } })
  })

  test('takes what is undefined for what is not given', () => {
    ssh({ ...address, port: undefined, password: undefined, cli: undefined })
  })
})

describe('a CLI', () => {
  test('takes options that it has, and no others', () => {
    const use = (cli: Cli) => {
      expectTypeOf(cli.sendAll(['a'], { timeout: '5s', allowErrors: true })).toEqualTypeOf<Promise<string[]>>()
      expectTypeOf(cli.configure(['a'], { timeout: '5m' })).toEqualTypeOf<Promise<string[]>>()
      expectTypeOf(
        cli.interact([
          { send: 'reload', expect: /\?/ },
          { send: 'x', hidden: true },
        ]),
      ).toEqualTypeOf<Promise<string>>()
      expectTypeOf(cli.send('a', { expect: /x/, signal: AbortSignal.abort() })).toEqualTypeOf<Promise<string>>()
      // @ts-expect-error: of one command only
      cli.sendAll(['a'], { expect: /x/ })
      // @ts-expect-error: misspelt
      cli.send('a', { timout: 5 })
      // @ts-expect-error: a list
      cli.configure('hostname x')
    }
    expectTypeOf(use).toBeFunction()
  })
})

describe('platforms', () => {
  test('are data that others are made of', () => {
    expectTypeOf(definePlatform({ ...platforms.cisco_iosxe, name: 'acme' })).toEqualTypeOf<CliPlatform>()
    // @ts-expect-error: no such part
    definePlatform({ ...platforms.cisco_iosxe, promt: /x/ })
    // @ts-expect-error: no such platform
    platforms.cisco_ios
  })
})

describe('errors', () => {
  test('have codes of a closed set', () => {
    expectTypeOf(new SshError('SSH_TIMEOUT', 'x').code).toEqualTypeOf<SshErrorCode>()
    expectTypeOf<CliCommandError>().toExtend<SshError>()
    expectTypeOf(new CliCommandError('x', 'c', 'o').output).toEqualTypeOf<string>()
    // @ts-expect-error: no such code
    new SshError('SSH_FAILED', 'x')
  })
})

describe('simulated devices', () => {
  test('fit the driver', () => {
    expectTypeOf(startDevice({ platform: 'huawei_vrp', commands: { x: 'y', z: ({ session }) => `${session}` } })).toEqualTypeOf<
      Promise<Device>
    >()
    const connect = (device: Device) => ssh({ ...address, hostKey: device.fingerprint, cli: { platform: device.platform } })
    expectTypeOf(connect).returns.toEqualTypeOf<Driver<SshCliSession>>()
    // @ts-expect-error: no such platform
    startDevice({ platform: 'cisco_ios' })
  })
})
