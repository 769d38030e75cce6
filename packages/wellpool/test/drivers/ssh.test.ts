import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { type SshOptions, type SshSession, ssh } from '../../src/drivers/ssh.ts'
import type { Driver } from '../../src/engine/driver.ts'
import { createPool, type PoolOptions } from '../../src/index.ts'
import type { Device } from '../../src/testing/devices/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { addressOf, connectTo, endAfterTest, makeDevice, makeUserKey } from '../support/devices.ts'

const SECRET = 'correct-horse'
const never = new AbortController().signal

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  )

/** The driver for a device with these options beside its address. */
const driverFor = (device: Device, options: Partial<SshOptions> = {}): Driver<SshSession> =>
  ssh({ ...addressOf(device), password: undefined, ...options })

/** A driver and what its connect fails with. */
const refusedBy = async (device: Device, options: Partial<SshOptions>): Promise<{ error: Error; meaning: unknown }> => {
  const driver = driverFor(device, options)
  const before = device.sessions.length
  const error = (await failureOf(connectTo(driver))) as Error
  const meaning = driver.classify?.(error)
  await expect.poll(() => device.sessions.length).toBe(before)
  expect(inspect(error, { depth: 9 })).not.toContain(SECRET)
  return { error, meaning }
}

describe('the log-in', () => {
  it('takes a password, or a function that is asked for it each time', async () => {
    const device = await makeDevice({ platform: 'linux', users: [{ name: 'admin', password: SECRET }] })
    await connectTo(driverFor(device, { password: SECRET }))
    const password = vi.fn(async () => SECRET)
    const driver = driverFor(device, { password })
    await connectTo(driver)
    await connectTo(driver)
    expect(password).toHaveBeenCalledTimes(2)
    expect(driver.secrets?.()).toContain(SECRET)
  })

  it('takes a private key, opened by its passphrase', async () => {
    const key = makeUserKey(SECRET)
    const device = await makeDevice({ platform: 'linux', users: [{ name: 'admin', publicKey: key.public }] })
    await connectTo(driverFor(device, { privateKey: key.private, passphrase: SECRET }))
    await connectTo(driverFor(device, { privateKey: Buffer.from(key.private), passphrase: SECRET, password: 'unused' }))
    const { error, meaning } = await refusedBy(device, { privateKey: makeUserKey().private })
    expect(error).toMatchObject({ code: 'SSH_AUTHENTICATION', message: expect.stringContaining('it refused publickey') })
    expect(meaning).toBe('fatal')
  })

  it('answers questions with the password, or as a function says', async () => {
    const authentication = ['keyboard-interactive'] as const
    const device = await makeDevice({ platform: 'linux', authentication, users: [{ name: 'admin', password: SECRET }] })
    await connectTo(driverFor(device, { password: SECRET }))

    const questions = [
      { prompt: 'Password: ', answer: SECRET },
      { prompt: 'Code: ', answer: '123456', echo: true },
    ]
    const asking = await makeDevice({ platform: 'linux', authentication, questions })
    const keyboardInteractive = vi.fn(async () => [SECRET, '123456'])
    const driver = driverFor(asking, { keyboardInteractive })
    await connectTo(driver)
    expect(keyboardInteractive).toHaveBeenCalledWith(
      [
        { prompt: 'Password: ', echo: false },
        { prompt: 'Code: ', echo: true },
      ],
      expect.objectContaining({ round: 1, signal: expect.any(AbortSignal) }),
    )
    expect(driver.secrets?.()).toEqual([SECRET])
    const { error, meaning } = await refusedBy(asking, { password: SECRET })
    expect(error).toMatchObject({ code: 'SSH_AUTHENTICATION', message: expect.stringContaining('"Password:", "Code:"') })
    expect(meaning).toBe('fatal')
  })

  it('fails when the function for the questions fails, and may be tried again soon; one that answers something else is hopeless', async () => {
    const device = await makeDevice({ platform: 'linux', authentication: ['keyboard-interactive'] })
    const failure = new Error('the vault is sealed')
    expect(await refusedBy(device, { keyboardInteractive: () => Promise.reject(failure) })).toEqual({
      error: failure,
      meaning: 'transient',
    })
    for (const answers of [[], ['a', 'b'], [1], 'a'] as unknown as string[][]) {
      const { error, meaning } = await refusedBy(device, { keyboardInteractive: () => answers })
      expect(error).toMatchObject({ code: 'INVALID_CONFIG', message: expect.stringContaining('one text for each question: 1') })
      expect(meaning).toBe('fatal')
    }
  })

  it('with a function that returns no password is hopeless', async () => {
    const device = await makeDevice({ platform: 'linux', users: [{ name: 'admin', password: SECRET }] })
    const { error, meaning } = await refusedBy(device, { password: (() => undefined) as never })
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', problems: [{ path: 'password', given: 'a function that returned undefined' }] })
    expect(meaning).toBe('fatal')
  })

  it.each([
    ['a wrong password', { password: 'wrong' }, 'it refused password'],
    ['a user that does not exist', { username: 'nobody', password: SECRET }, 'does not let the user nobody in'],
    ['nothing at all', {}, 'no password, key or agent is given'],
  ])('with %s is hopeless', async (_, options, words) => {
    const device = await makeDevice({ platform: 'linux', users: [{ name: 'admin', password: SECRET }] })
    const { error, meaning } = await refusedBy(device, options)
    expect(error).toMatchObject({ code: 'SSH_AUTHENTICATION', message: expect.stringContaining(words) })
    expect(meaning).toBe('fatal')
  })

  it('sends a password that was refused no second time, in whatever way the device would take it', async () => {
    const device = await makeDevice({
      platform: 'linux',
      authentication: ['password', 'keyboard-interactive'],
      users: [{ name: 'admin', password: 'x' }],
    })
    const { error } = await refusedBy(device, { password: SECRET })
    expect(error.message).toContain('it refused password')
    expect(error.message).not.toContain('it refused password, keyboard-interactive')
  })

  it('does not hold a connect that is aborted while a password is asked for, and tells who is asked', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const controller = new AbortController()
    let seen: AbortSignal | undefined
    const driver = driverFor(device, {
      password: ({ signal }) => {
        seen = signal
        return new Promise(() => {})
      },
    })
    const connecting = failureOf(connectTo(driver, controller.signal))
    await expect.poll(() => seen).toBeDefined()
    const reason = new Error('given up')
    controller.abort(reason)
    expect(await connecting).toBe(reason)
    expect(seen?.aborted).toBe(true)
    await expect.poll(() => device.sessions).toEqual([])
  })

  it('goes on with the password when the agent does not work', async () => {
    const device = await makeDevice({ platform: 'linux', users: [{ name: 'admin', password: SECRET }] })
    await connectTo(driverFor(device, { agent: path.join(tmpdir(), 'no agent here'), password: SECRET }))
  })
})

describe('the host key', () => {
  it('is looked for in known_hosts, and a device with several keys is asked for one that is known', async () => {
    const device = await makeDevice({ platform: 'linux', hostKeys: ['ed25519', 'ecdsa', 'rsa'] })
    const folder = await mkdtemp(path.join(tmpdir(), 'wellpool-ssh-'))
    endAfterTest(() => rm(folder, { recursive: true }))
    const knownHosts = path.join(folder, 'known_hosts')
    for (const key of device.hostKeys) {
      await writeFile(knownHosts, `[${device.host}]:${device.port} ${key.line}\n`)
      await connectTo(driverFor(device, { password: 'admin', hostKey: { knownHosts } }))
    }
    await writeFile(knownHosts, device.knownHosts)
    await connectTo(
      driverFor(device, { password: 'admin', hostKey: { knownHosts }, algorithms: { serverHostKey: ['ecdsa-sha2-nistp256'] } }),
    )

    const other = await makeDevice({ platform: 'linux' })
    await writeFile(knownHosts, `[${device.host}]:${device.port} ${other.hostKeys[0]?.line}\n`)
    const { error, meaning } = await refusedBy(device, { password: SECRET, hostKey: { knownHosts } })
    expect(error).toMatchObject({ code: 'SSH_HOST_KEY', message: expect.stringContaining('ssh-keygen -R') })
    expect(meaning).toBe('fatal')
  })

  it('that is not the expected one ends the connect before anything secret is sent', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const password = vi.fn(() => SECRET)
    const { error, meaning } = await refusedBy(device, { password, hostKey: (await makeDevice({ platform: 'linux' })).fingerprint })
    expect(error).toMatchObject({ code: 'SSH_HOST_KEY' })
    expect(meaning).toBe('fatal')
    expect(password).not.toHaveBeenCalled()
  })

  it('is checked by default', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const { error, meaning } = await refusedBy(device, { password: SECRET, hostKey: undefined })
    expect(error).toMatchObject({ code: 'SSH_HOST_KEY', message: expect.stringContaining(device.fingerprint) })
    expect(meaning).toBe('fatal')
  })

  it('may be judged by a function that takes its time, and is left alone when the connect is given up meanwhile', async () => {
    const device = await makeDevice({ platform: 'linux' })
    await connectTo(driverFor(device, { password: 'admin', hostKey: ({ fingerprint }) => delay(5, fingerprint === device.fingerprint) }))
    const controller = new AbortController()
    let judge = (_: boolean): void => {}
    const hostKey = () => new Promise<boolean>((resolve) => (judge = resolve))
    const connecting = failureOf(connectTo(driverFor(device, { password: 'admin', hostKey }), controller.signal))
    await expect.poll(() => device.sessions.length).toBe(2)
    await delay(50)
    controller.abort(new Error('given up'))
    expect(await connecting).toMatchObject({ message: 'given up' })
    judge(true)
    await expect.poll(() => device.sessions.length).toBe(1)
  })
})

describe('algorithms', () => {
  const old = { kex: ['diffie-hellman-group1-sha1'], cipher: ['3des-cbc'], hmac: ['hmac-md5'] }

  it('that do not fit make a connect hopeless, and it is said what to do', async () => {
    const device = await makeDevice({ platform: 'cisco_iosxe', algorithms: old })
    const { error, meaning } = await refusedBy(device, { password: SECRET })
    expect(error).toMatchObject({ code: 'SSH_ALGORITHMS', message: expect.stringContaining("algorithms: 'legacy'") })
    expect(meaning).toBe('fatal')
  })

  it('of old devices are offered on request', async () => {
    const device = await makeDevice({ platform: 'cisco_iosxe', algorithms: old })
    await connectTo(driverFor(device, { password: 'admin', algorithms: 'legacy' }))
    await connectTo(driverFor(device, { password: 'admin', algorithms: old }))
  })
})

describe('a jump host', () => {
  const makeWay = async (options: Partial<Parameters<typeof makeDevice>[0]> = {}) => {
    const device = await makeDevice({ platform: 'cisco_nxos', ...options })
    const inner = await makeDevice({ platform: 'linux', forwarding: true })
    const outer = await makeDevice({ platform: 'linux', forwarding: true })
    const jump = { ...addressOf(inner), jump: addressOf(outer) }
    const driver = ssh({ ...addressOf(device), jump })
    return { device, inner, outer, driver }
  }
  const nothingIsLeft = (...devices: Device[]) => expect.poll(() => devices.flatMap(({ sessions }) => sessions)).toEqual([])

  it('leads to the device, and further jump hosts to it; a goodbye leaves nothing on any of them', async () => {
    const { device, inner, outer, driver } = await makeWay()
    const session = await connectTo(driver)
    expect((await session.run('show clock')).stdout).toMatch(/UTC/)
    expect([inner, outer].map(({ sessions }) => sessions[0]?.tunnels)).toEqual([1, 1])
    await driver.check(session, { signal: never })
    await driver.close(session)
    await nothingIsLeft(device, inner, outer)
  })

  it('is left by destroy at once', async () => {
    const { device, inner, outer, driver } = await makeWay()
    driver.destroy(await connectTo(driver))
    await nothingIsLeft(device, inner, outer)
  })

  it('that breaks takes the session with it', async () => {
    const { device, inner, outer, driver } = await makeWay()
    for (const broken of [outer, inner]) {
      const session = await connectTo(driver)
      const lost = new Promise<unknown>((resolve) => driver.watch?.(session, { lost: resolve, retire: () => {} }))
      broken.kill()
      expect(await lost).toMatchObject({ code: 'SSH_CONNECTION_LOST' })
      driver.destroy(session)
      await nothingIsLeft(device, inner, outer)
    }
  })

  it('is left wherever a connect over it is aborted', async () => {
    const { device, inner, outer, driver } = await makeWay()
    const start = performance.now()
    driver.destroy(await connectTo(driver))
    const usual = performance.now() - start
    const outcomes = await Promise.all(
      Array.from({ length: 24 }, async (_, index) => {
        const controller = new AbortController()
        const connecting = connectTo(driver, controller.signal)
        connecting.catch(() => {})
        await delay((usual * index) / 12)
        const reason = new Error(`abort ${index}`)
        controller.abort(reason)
        return connecting.then(
          (session) => driver.destroy(session),
          (error: unknown) => (error === reason ? 'aborted' : error),
        )
      }),
    )
    expect(outcomes.filter((outcome) => outcome !== 'aborted' && outcome !== undefined)).toEqual([])
    expect(outcomes).toContain('aborted')
    await nothingIsLeft(device, inner, outer)
  })

  it('that does not get through is said, and may be tried again soon', async () => {
    const { inner, outer } = await makeWay()
    const closed = await makeDevice({ platform: 'linux' })
    await closed.close()
    const driver = ssh({ ...addressOf(closed), jump: { ...addressOf(inner), jump: addressOf(outer) } })
    const error = await failureOf(connectTo(driver))
    expect(error).toMatchObject({ code: 'SSH_JUMP', message: expect.stringContaining(`does not get through to 127.0.0.1:${closed.port}`) })
    expect(driver.classify?.(error)).toBe('transient')
    await nothingIsLeft(inner, outer)
  })

  it('is checked and logged in to like any other host', async () => {
    const { device, outer, inner } = await makeWay()
    for (const [change, code] of [
      [{ password: 'wrong' }, 'SSH_AUTHENTICATION'],
      [{ hostKey: device.fingerprint }, 'SSH_HOST_KEY'],
    ] as const) {
      const driver = ssh({ ...addressOf(device), jump: { ...addressOf(inner), ...change, jump: addressOf(outer) } })
      const error = await failureOf(connectTo(driver))
      expect(error).toMatchObject({ code, message: expect.stringContaining(`127.0.0.1:${inner.port}`) })
      expect(driver.classify?.(error)).toBe('fatal')
      await nothingIsLeft(device, inner, outer)
    }
  })
})

describe('a jump host that many share', () => {
  const makeBastion = async (options: PoolOptions = {}) => {
    const bastion = await makeDevice({ platform: 'linux', forwarding: true })
    const pool = createPool(ssh({ ...addressOf(bastion), maxLeasesPerConnection: 50 }), {
      maxConnections: 1,
      maxUses: Number.POSITIVE_INFINITY,
      ...options,
    })
    endAfterTest(() => pool.close({ timeout: 0 }))
    return { bastion, pool }
  }

  it('has one connection for all of them, and as many ways as there are sessions', async () => {
    const { bastion, pool } = await makeBastion()
    const devices = await Promise.all(Array.from({ length: 10 }, () => makeDevice({ platform: 'linux' })))
    const drivers = devices.map((device) => ssh({ ...addressOf(device), jump: pool }))
    const sessions = await Promise.all(drivers.map((driver) => connectTo(driver)))
    expect((await Promise.all(sessions.map((session) => session.run('uname')))).map(({ stdout }) => stdout)).toEqual(
      Array(10).fill('Linux\n'),
    )
    expect(bastion.sessions).toMatchObject([{ tunnels: 10 }])

    await drivers[0]?.close(sessions[0] as SshSession)
    drivers[1]?.destroy(sessions[1] as SshSession)
    await expect.poll(() => bastion.sessions[0]?.tunnels).toBe(8)
    expect((await sessions[2]?.run('uname'))?.code).toBe(0)
    for (const [index, driver] of drivers.entries()) driver.destroy(sessions[index] as SshSession)
    await expect.poll(() => bastion.sessions[0]?.tunnels).toBe(0)
    await expect.poll(() => pool.stats().idle).toBe(1)
  })

  it('that breaks takes all sessions with it, and they come back over another connection', async () => {
    const { bastion, pool } = await makeBastion()
    const device = await makeDevice({ platform: 'cisco_iosxe' })
    const routers = createPool(ssh({ ...addressOf(device), jump: pool, cli: { platform: 'cisco_iosxe' } }), {
      minConnections: 2,
      backoff: { base: 10, max: 50 },
    })
    endAfterTest(() => routers.close({ timeout: 0 }))
    await routers.start()
    bastion.kill()
    await expect.poll(() => routers.stats().rebuildsCompleted, { timeout: 10_000 }).toBe(2)
    await expect.poll(() => routers.stats().idle, { timeout: 10_000 }).toBe(2)
    expect(await routers.use(({ cli }) => cli.send('show clock'))).toMatch(/UTC/)
    expect(bastion.sessions).toMatchObject([{ tunnels: 2 }])
  })

  it('is given back wherever a connect over it is aborted, and lost by none', async () => {
    const { bastion, pool } = await makeBastion()
    const device = await makeDevice({ platform: 'linux' })
    const driver = ssh({ ...addressOf(device), jump: pool })
    const start = performance.now()
    driver.destroy(await connectTo(driver))
    const usual = performance.now() - start
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const controller = new AbortController()
        const connecting = connectTo(driver, controller.signal)
        connecting.catch(() => {})
        await delay((usual * index) / 10)
        controller.abort(new Error('given up'))
        await connecting.then(driver.destroy, () => {})
      }),
    )
    await expect.poll(() => bastion.sessions).toMatchObject([{ tunnels: 0 }])
    await expect.poll(() => device.sessions).toEqual([])
    await expect.poll(() => pool.stats().acquired).toBe(0)
    expect(pool.stats().created).toBe(1)
  })

  it('is not lost with a connect that is given up while it has not got through', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const { bastion, pool } = await makeBastion({ minConnections: 1 })
    await pool.start()
    bastion.hang()
    const controller = new AbortController()
    const connecting = failureOf(connectTo(ssh({ ...addressOf(device), jump: pool }), controller.signal))
    await expect.poll(() => pool.stats().acquired).toBe(1)
    const reason = new Error('given up')
    controller.abort(reason)
    expect(await connecting).toBe(reason)
    await expect.poll(() => pool.stats().acquired).toBe(0)
    bastion.wake()
    await expect.poll(() => pool.stats().idle).toBe(1)
    expect(pool.stats().created).toBe(1)
    await expect.poll(() => bastion.sessions).toMatchObject([{ tunnels: 0 }])
    await expect.poll(() => device.sessions).toEqual([])
  })

  it('that lets nobody in makes the connects over it hopeless', async () => {
    const bastion = await makeDevice({ platform: 'linux', users: [{ name: 'admin', password: 'another' }] })
    const pool = createPool(ssh(addressOf(bastion)), { maxConnections: 1 })
    endAfterTest(() => pool.close({ timeout: 0 }))
    const driver = ssh({ ...addressOf(await makeDevice({ platform: 'linux' })), jump: pool })
    const error = await failureOf(connectTo(driver))
    expect(driver.classify?.(error)).toBe('fatal')
  })
})

describe('a device without a free session', () => {
  it.each(['disconnect', 'close', 'channel', 'text'] as const)('that says so by %s is worth another try', async (whenFull) => {
    const device = await makeDevice({ platform: 'cisco_nxos', sessionLimit: 1, whenFull })
    const driver = ssh({ ...addressOf(device), cli: { platform: 'cisco_nxos' } })
    await connectTo(driver)
    const error = await failureOf(connectTo(driver))
    expect(driver.classify?.(error)).toBe('transient')
    // Who ends the socket without a word says nothing that could be understood.
    expect(error).toMatchObject({ code: whenFull === 'close' ? 'SSH_CONNECTION_LOST' : 'SSH_NO_SESSIONS' })
    await expect.poll(() => device.sessions.length).toBe(1)
  })

  it('that refuses a channel says so to who wants it', async () => {
    const device = await makeDevice({ platform: 'linux', channelLimit: 1 })
    const driver = driverFor(device, { password: 'admin' })
    const session = await connectTo(driver)
    await session.openCli({ platform: 'linux' })
    const error = await failureOf(session.run('uname'))
    expect(error).toMatchObject({ code: 'SSH_NO_SESSIONS' })
    expect(driver.classify?.(error)).toBe('transient')
  })

  it.each(['Too many authentication failures', 'user locked'])(
    'is not what a peer means that has just refused a password: %s',
    async (banner) => {
      const device = await makeDevice({ platform: 'linux', banner, users: [{ name: 'admin', password: 'x' }] })
      expect(await refusedBy(device, { password: SECRET })).toMatchObject({ error: { code: 'SSH_AUTHENTICATION' }, meaning: 'fatal' })
    },
  )
})

describe('a peer that is no SSH server', () => {
  const makeServer = async (greet: (socket: Socket) => void): Promise<SshOptions> => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      greet(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    endAfterTest(() => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(resolve))
    })
    return { host: '127.0.0.1', port: (server.address() as { port: number }).port, username: 'admin', hostKey: 'accept-any-insecure' }
  }

  it.each([
    ['ends the connection', (socket: Socket) => socket.end()],
    ['says something and ends', (socket: Socket) => socket.end('No more sessions available\r\n')],
    ['talks another language', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('that %s fails the connect', async (_, greet) => {
    const driver = ssh(await makeServer(greet))
    const error = await failureOf(connectTo(driver))
    expect(error).toMatchObject({ code: expect.stringMatching(/^SSH_(CONNECTION_LOST|NO_SESSIONS)$/) })
    expect(driver.classify?.(error)).toBe('transient')
  })

  it('does not hold a connect that is aborted', async () => {
    const driver = ssh(await makeServer(() => {}))
    const controller = new AbortController()
    const connecting = failureOf(connectTo(driver, controller.signal))
    await delay(20)
    const reason = new Error('given up')
    controller.abort(reason)
    expect(await connecting).toBe(reason)
  })

  it('does not exist', async () => {
    const driver = ssh({ host: '127.0.0.1', port: 1, username: 'admin', hostKey: 'accept-any-insecure' })
    const error = await failureOf(connectTo(driver))
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
    expect(driver.classify?.(error)).toBe('transient')
  })
})

describe('check', () => {
  it.each([
    ['runs a command', {}, 'uname'],
    ['is answered by a peer that has no exec', { execAllowed: false }, undefined],
  ])('%s', async (_, options, typed) => {
    const device = await makeDevice({ platform: 'linux', ...options })
    const driver = driverFor(device, { password: 'admin', healthCommand: 'uname' })
    const session = await connectTo(driver)
    await driver.check(session, { signal: never })
    expect(device.typed.at(-1)?.line).toBe(typed)
  })

  it('leaves no channel on a peer that has no exec', async () => {
    const device = await makeDevice({ platform: 'linux', execAllowed: false, channelLimit: 1 })
    const driver = driverFor(device, { password: 'admin' })
    const session = await connectTo(driver)
    for (let checks = 0; checks < 3; checks++) await driver.check(session, { signal: never })
    await expect.poll(() => device.sessions[0]?.channels).toBe(0)
    expect(await failureOf(session.run('uname'))).toMatchObject({ code: 'SSH_EXEC_REFUSED' })
    await driver.reset?.(session)
    expect((await session.openCli({ platform: 'linux' })).prompt).toBe('wellpool$')
  })

  it('is answered by a peer that has no room beside what its borrowers have open', async () => {
    const device = await makeDevice({ platform: 'linux', channelLimit: 1 })
    const driver = driverFor(device, { password: 'admin', maxLeasesPerConnection: 2 })
    const session = await connectTo(driver)
    await session.openCli({ platform: 'linux' })
    await driver.check(session, { signal: never })
    expect(await failureOf(session.run('uname'))).toMatchObject({ code: 'SSH_NO_SESSIONS' })
  })

  it('rejects when the peer opens no channel', async () => {
    const device = await makeDevice({ platform: 'linux', channelLimit: 0 })
    const driver = driverFor(device, { password: 'admin' })
    const session = await connectTo(driver)
    await expect(driver.check(session, { signal: never })).rejects.toMatchObject({ code: 'SSH_NO_SESSIONS' })
  })

  it('says of a device that ends the connection with its first channel what to do', async () => {
    const device = await makeDevice({ platform: 'cisco_iosxe' })
    const driver = driverFor(device, { password: 'admin' })
    const session = await connectTo(driver)
    const lost = new Promise<unknown>((resolve) => driver.watch?.(session, { lost: resolve, retire: () => {} }))
    await failureOf(Promise.resolve(driver.check(session, { signal: never })))
    expect(await lost).toMatchObject({ code: 'SSH_CONNECTION_LOST', message: expect.stringContaining('there is the option cli') })
  })

  it('refuses a session of another driver', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const session = await connectTo(driverFor(device, { password: 'admin' }))
    expect(() => driverFor(device).check(session, { signal: never })).toThrow(TypeError)
  })
})

describe('reset', () => {
  it('has nothing to do after commands that have ended, and says so at once', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const driver = driverFor(device, { password: 'admin' })
    const session = await connectTo(driver)
    expect(driver.reset?.(session)).toBeUndefined()
    await session.run('uname')
    expect(driver.reset?.(session)).toBeUndefined()
  })

  it('closes channels that were opened through the client of ssh2', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const driver = driverFor(device, { password: 'admin' })
    const session = await connectTo(driver)
    await new Promise<void>((resolve) => session.client.shell(() => resolve()))
    await driver.reset?.(session)
    await expect.poll(() => device.sessions[0]?.channels).toBe(0)
    expect(driver.reset?.(session)).toBeUndefined()
  })

  it('gives up a session in which the client of ssh2 waits for a channel, or for connections from the peer', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const driver = driverFor(device, { password: 'admin' })
    const waiting = await connectTo(driver)
    waiting.client.shell(() => {})
    await expect(driver.reset?.(waiting)).rejects.toThrow('has not been answered')
    const forwarding = await connectTo(driver)
    forwarding.client.on('error', () => {})
    Object.assign((forwarding.client as unknown as { _forwarding: object })._forwarding, { 'localhost:80': 80 })
    await expect(driver.reset?.(forwarding)).rejects.toThrow('forwards ports')
  })

  it('takes what belongs to a command that was given up', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const driver = driverFor(device, { password: 'admin' })
    const session = await connectTo(driver)
    const given = failureOf(session.run('uname', { signal: AbortSignal.abort(new Error('x')) }))
    const controller = new AbortController()
    const later = failureOf(session.run('uname', { signal: controller.signal }))
    controller.abort(new Error('y'))
    await driver.reset?.(session)
    expect([await given, await later]).toMatchObject([{ message: 'x' }, { message: 'y' }])
    await expect.poll(() => device.sessions[0]?.channels).toBe(0)
  })
})

describe('a session', () => {
  it('that is silent is lost after keepaliveMisses signs of life that did not come', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const proxy = await FaultProxy.start({ port: device.port })
    endAfterTest(() => proxy.close())
    const driver = ssh({ ...addressOf(device), port: proxy.port, keepalive: 1000, keepaliveMisses: 2 })
    const session = await connectTo(driver)
    const lost = new Promise<unknown>((resolve) => driver.watch?.(session, { lost: resolve, retire: () => {} }))
    // Its answers to the requests are signs of life enough.
    await delay(3500)
    expect((await session.run('uname')).stdout).toBe('Linux\n')
    proxy.inject({ kind: 'silence' })
    const running = failureOf(session.run('uname', { timeout: 0 }))
    expect(await lost).toMatchObject({ message: expect.stringContaining('no sign of life for 3000 ms, 2 requests unanswered') })
    expect(await running).toMatchObject({ code: 'SSH_CONNECTION_LOST' })
    await proxy.until((flows) => flows.every(({ clientOpen }) => !clientOpen))
  }, 20_000)

  it('refuses wrong options of a command before it runs', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const session = await connectTo(driverFor(device, { password: 'admin' }))
    const wrong = [{ encoding: 'iso-8859-1' }, { encoding: 7 }, { maxOutput: 0 }, { maxOutput: Number.NaN }, { maxOutput: '1mb' }]
    for (const options of wrong) {
      await expect(session.run('uname', options as never)).rejects.toThrow(TypeError)
    }
    expect(device.typed).toEqual([])
    expect(await session.run('uname', { maxOutput: Number.POSITIVE_INFINITY })).toMatchObject({ stdout: 'Linux\n' })
  })

  it('lets the process end when it is unreferenced, and not before', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const driver = driverFor(device, { password: 'admin' })
    const session = await connectTo(driver)
    const socket = (session.client as unknown as { _sock: Socket & { _handle: { hasRef(): boolean } } })._sock
    driver.unref?.(session)
    expect(socket._handle.hasRef()).toBe(false)
    driver.ref?.(session)
    expect(socket._handle.hasRef()).toBe(true)
  })

  it('does not let a borrower see what is done beneath it', async () => {
    const device = await makeDevice({ platform: 'linux', users: [{ name: 'admin', password: SECRET }] })
    const driver = driverFor(device, { password: SECRET })
    expect(inspect(driver, { depth: 9, showHidden: true })).not.toContain(SECRET)
  })
})
