import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type CliOptions, type SshCliSession, ssh } from '../../src/drivers/ssh.ts'
import { createPool, createPools, type Pool, type PoolOptions } from '../../src/index.ts'
import type { Device, DeviceOptions } from '../../src/testing/devices/index.ts'
import { addressOf, endAfterTest, makeDevice } from '../support/devices.ts'

const LINES = Array.from({ length: 60 }, (_, index) => `line ${index + 1} of 60`)
const LONG = LINES.join('\n')

/** A pool of one device, with its CLI kept open. */
const poolOf = (device: Device, options: PoolOptions = {}, cli: Partial<CliOptions> = {}): Pool<SshCliSession> => {
  const pool = createPool(ssh({ ...addressOf(device), cli: { platform: device.platform, ...cli } }), {
    backoff: { base: 10, max: 50 },
    ...options,
  })
  endAfterTest(() => pool.close({ timeout: 0 }))
  return pool
}

const makeRouter = (options: Partial<DeviceOptions> = {}): Promise<Device> =>
  makeDevice({ platform: 'cisco_iosxe', ...options, commands: { 'show long': LONG, ...options.commands } })

describe('a pool of one device', () => {
  it('opens nothing ahead and no more than two sessions, however many want one', async () => {
    const device = await makeRouter()
    const pool = poolOf(device)
    await pool.start()
    expect(device.sessions).toEqual([])
    const answers = await Promise.all(Array.from({ length: 20 }, () => pool.use(({ cli }) => cli.send('show clock'))))
    for (const answer of answers) expect(answer).toMatch(/UTC/)
    expect(device.mostSessions).toBe(2)
    expect(device.refused).toBe(0)
  })

  it('replaces a session after its uses by closing it first: the device never has one too many', async () => {
    const device = await makeRouter({ sessionLimit: 2 })
    const pool = poolOf(device, { maxUses: 3 })
    for (let round = 0; round < 4; round++) {
      await Promise.all(Array.from({ length: 8 }, () => pool.use(({ cli }) => cli.send('show clock'))))
    }
    await expect.poll(() => pool.stats().rebuildsCompleted).toBeGreaterThan(1)
    expect(device.mostSessions).toBe(2)
    expect(device.refused).toBe(0)
    await pool.drain()
    await expect.poll(() => device.sessions).toEqual([])
  })

  it('waits for a session when others have them all, and serves when one is free', async () => {
    const device = await makeRouter({ sessionLimit: 2 })
    const others = poolOf(device, { minConnections: 2 })
    await others.start()
    const pool = poolOf(device)
    const failures: (Error | undefined)[] = []
    pool.on('connectFailed', ({ error }) => failures.push(error.cause as Error))
    const answer = pool.use(({ cli }) => cli.send('show clock'))
    await expect.poll(() => failures.length).toBeGreaterThan(2)
    for (const failure of failures) expect(failure).toMatchObject({ code: 'SSH_NO_SESSIONS' })
    await others.close()
    expect(await answer).toMatch(/UTC/)
  })

  it('gives the next borrower a clean answer after one that ran out of time in the middle of its own', async () => {
    const device = await makeRouter()
    const pool = poolOf(device, { maxConnections: 1 })
    for (let round = 0; round < 3; round++) {
      device.setOutput({ packetSize: 20, outputDelay: 10 })
      await expect(pool.use(({ cli }) => cli.send('show long', { timeout: 80 }))).rejects.toMatchObject({ code: 'CLI_TIMEOUT' })
      device.setOutput({ packetSize: 1000, outputDelay: 0 })
      expect(await pool.use(({ cli }) => cli.send('show clock'))).toMatch(/^\S+ UTC .*$/)
    }
    expect(pool.stats().rebuildsCompleted + pool.stats().created).toBeGreaterThan(3)
  })

  it('does so too when the borrower keeps the failure to himself, or gives up by a signal', async () => {
    const device = await makeRouter()
    const pool = poolOf(device, { maxConnections: 1 })
    device.setOutput({ packetSize: 20, outputDelay: 10 })
    await pool.use(async ({ cli }) => {
      await cli.send('show long', { timeout: 80 }).catch(() => {})
    })
    await pool.use(async ({ cli }) => {
      await cli.send('show long', { signal: AbortSignal.timeout(80) }).catch(() => {})
    })
    device.setOutput({ packetSize: 1000, outputDelay: 0 })
    const sessions = new Set(device.typed.map(({ session }) => session))
    expect(await pool.use(({ cli }) => cli.send('show clock'))).toMatch(/^\S+ UTC .*$/)
    expect(sessions.size).toBe(2)
    expect(new Set(device.typed.map(({ session }) => session)).size).toBe(3)
  })

  it('gives the next borrower a CLI outside of the configuration that another was in', async () => {
    const device = await makeDevice({ platform: 'juniper_junos' })
    const pool = poolOf(device, { maxConnections: 1 })
    await pool.use(async ({ cli }) => {
      await cli.enter('config')
      await cli.send('set system ntp server 10.0.0.9')
    })
    expect(await pool.use(({ cli }) => cli.send('show version'))).toContain('Junos')
    expect(device.config).not.toContain('set system ntp server 10.0.0.9')
    expect(device.mostSessions).toBe(1)
  })

  it('keeps the session when a command is refused', async () => {
    const device = await makeRouter()
    const pool = poolOf(device, { maxConnections: 1 })
    for (let round = 0; round < 3; round++) {
      await expect(pool.use(({ cli }) => cli.send('bogus'))).rejects.toMatchObject({ code: 'CLI_COMMAND' })
    }
    expect(pool.stats().created).toBe(1)
  })

  it('heals when the device reboots, with no call needed', async () => {
    const device = await makeRouter()
    const pool = poolOf(device, { minConnections: 2 })
    await pool.start()
    const rebooted = device.reboot({ downFor: 100 })
    await expect.poll(() => pool.stats().idle).toBe(0)
    await rebooted
    await expect.poll(() => pool.stats().idle, { timeout: 10_000 }).toBe(2)
    expect(await pool.use(({ cli }) => cli.send('show clock'))).toMatch(/UTC/)
  })

  it('finds out that the device hangs, and heals when it does not any more', async () => {
    const device = await makeRouter()
    const pool = poolOf(device, {
      minConnections: 1,
      healthCheckInterval: 100,
      healthCheckTimeout: 500,
      healthRecheckInterval: 50,
      connectTimeout: 1000,
    })
    await pool.start()
    device.hang()
    await expect.poll(() => pool.stats().idle, { timeout: 10_000 }).toBe(0)
    device.wake()
    await expect.poll(() => pool.stats().idle, { timeout: 10_000 }).toBe(1)
    expect(await pool.use(({ cli }) => cli.send('show clock'))).toMatch(/UTC/)
  })

  it('tells who waits at once that the password is wrong, and does not try again soon', async () => {
    const device = await makeRouter({ users: [{ name: 'admin', password: 'another' }] })
    const pool = poolOf(device, { backoff: { base: 500, max: 5000, maxWhileWaited: 500 } })
    const answers = await Promise.allSettled(Array.from({ length: 10 }, () => pool.use(({ cli }) => cli.send('show clock'))))
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 'rejected', reason: { cause: { code: 'SSH_AUTHENTICATION' } } })
    }
    await delay(200)
    expect(pool.stats().connectFailures).toBeLessThanOrEqual(2)
  })
})

describe('a fleet', { timeout: 120_000 }, () => {
  const DEVICES = 40
  const PLATFORMS = ['cisco_iosxe', 'cisco_iosxr', 'cisco_nxos', 'arista_eos', 'juniper_junos', 'huawei_vrp', 'h3c_comware'] as const

  it(`of ${DEVICES} devices that allow five sessions each is asked over two of each, and reboots one after the other unnoticed`, async () => {
    const platformOf = (index: number) => PLATFORMS[index % PLATFORMS.length] ?? 'cisco_iosxe'
    const devices = await Promise.all(
      Array.from({ length: DEVICES }, (_, index) =>
        makeDevice({
          platform: platformOf(index),
          hostname: `device-${index}`,
          sessionLimit: 5,
          commands: { whoami: `I am device-${index}` },
        }),
      ),
    )
    const drivers = devices.map((device) => [device.hostname, ssh({ ...addressOf(device), cli: { platform: device.platform } })] as const)
    const pools = createPools(Object.fromEntries(drivers), {
      acquireTimeout: '60s',
      backoff: { base: 20, max: 200 },
      connectTimeout: '30s',
    })
    endAfterTest(() => pools.close({ timeout: 0 }))

    const askAll = (times: number) =>
      Promise.all(
        devices.flatMap((device) =>
          Array.from({ length: times }, () => pools[device.hostname]?.use(({ cli }) => cli.send('whoami'), { idempotent: true })),
        ),
      )
    const expected = (times: number) => devices.flatMap(({ hostname }) => Array.from({ length: times }, () => `I am ${hostname}`))

    expect(await askAll(3)).toEqual(expected(3))
    await Promise.all(devices.filter((_, index) => index % 4 === 0).map((device) => device.reboot({ downFor: 50 })))
    expect(await askAll(3)).toEqual(expected(3))
    for (const device of devices) {
      expect(device.mostSessions).toBeLessThanOrEqual(2)
      expect(device.refused).toBe(0)
    }
    await pools.drain()
    await expect.poll(() => devices.flatMap(({ sessions }) => sessions)).toEqual([])
  })
})
