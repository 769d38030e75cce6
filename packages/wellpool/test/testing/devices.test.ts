import { once } from 'node:events'
import { connect } from 'node:net'
import ssh2 from 'ssh2'
import { describe, expect, it } from 'vitest'
import type { Device, DeviceOptions } from '../../src/testing/devices/index.ts'
import { endAfterTest, makeDevice, makeUserKey } from '../support/devices.ts'

/** A client of ssh2 and nothing else: the devices are not judged by the driver that they are for. */
const clientOf = async (device: Device, options: ssh2.ConnectConfig = {}): Promise<ssh2.Client> => {
  const client = new ssh2.Client()
  endAfterTest(() => client.destroy())
  await new Promise<void>((resolve, reject) => {
    client.on('ready', resolve).on('error', reject)
    client.connect({ host: device.host, port: device.port, username: 'admin', password: 'admin', ...options })
  })
  return client
}

/** Resolves when the client's connection has ended, with an error or without. */
const endOf = (client: ssh2.Client): Promise<void> =>
  new Promise((resolve) => {
    client.on('error', () => {})
    client.on('close', resolve)
  })

/** A shell, what it has said so far, and how to wait for more. */
const shellOf = async (client: ssh2.Client) => {
  const channel = await new Promise<ssh2.ClientChannel>((resolve, reject) => {
    client.shell((error, opened) => (error === undefined ? resolve(opened) : reject(error)))
  })
  let said = ''
  const packets: string[] = []
  channel.on('data', (data: Buffer) => {
    said += data.toString()
    packets.push(data.toString())
  })
  return {
    channel,
    packets,
    said: () => said,
    until: (text: string) => expect.poll(() => said, { timeout: 5000 }).toContain(text),
    type: (text: string) => channel.write(text),
  }
}

const makeShell = async (options: DeviceOptions) => {
  const device = await makeDevice({ hostname: 'router-17', ...options })
  const client = await clientOf(device)
  return { device, client, ...(await shellOf(client)) }
}

const run = (client: ssh2.Client, command: string): Promise<{ out: string; code: number }> =>
  new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) {
        reject(error)
        return
      }
      let out = ''
      channel.on('data', (data: Buffer) => {
        out += data.toString()
      })
      channel.on('close', (code: number) => resolve({ out, code }))
    })
  })

describe('a simulated device', () => {
  it.each([
    ['cisco_iosxe', 'router-17>'],
    ['cisco_iosxr', 'RP/0/RP0/CPU0:router-17#'],
    ['cisco_nxos', 'router-17# '],
    ['arista_eos', 'router-17>'],
    ['juniper_junos', 'admin@router-17> '],
    ['huawei_vrp', '<router-17>'],
    ['h3c_comware', '<router-17>'],
    ['linux', 'admin@router-17:~$ '],
  ] as const)('of the kind %s greets with its message and its prompt', async (platform, prompt) => {
    const { said, until } = await makeShell({ platform, motd: 'Welcome\nto this device' })
    await until(prompt)
    expect(said()).toBe(`Welcome\r\nto this device\r\n${prompt}`)
  })

  it('echoes what is typed, takes back what is deleted, and takes any end of a line', async () => {
    const { said, until, type } = await makeShell({ platform: 'cisco_iosxe' })
    await until('router-17>')
    type('show clokc\b\bck\r')
    await until('UTC')
    expect(said()).toContain('show clokc\b \b\b \bck\r\n')
    type('show version\n')
    await until('IOS XE')
    type('show vers\u0015show clock\r\n')
    await expect.poll(() => said().match(/UTC/g)?.length).toBe(2)
    type('half a command\u0003')
    await until('^C\r\nrouter-17>')
  })

  it('asks for the enable secret without an echo, as often as its kind does', async () => {
    const { device, said, until, type } = await makeShell({ platform: 'cisco_iosxe', enableSecret: 'open-sesame' })
    type('enable\nwrong\nopen-sesame\n')
    await until('router-17#')
    expect(said().match(/Password: \r\n/g)).toHaveLength(2)
    expect(said()).not.toContain('sesame')
    expect(device.typed.map(({ line }) => line)).toEqual(['enable', '***', '***'])
    type('disable\nenable\na\nb\nc\n')
    await until('% Bad secrets')
  })

  it('shows long answers page by page, and wipes out what it says meanwhile', async () => {
    const lines = Array.from({ length: 10 }, (_, index) => `line ${index}`)
    const { said, until, type } = await makeShell({ platform: 'cisco_iosxe', pageLength: 4, commands: { 'show long': lines.join('\n') } })
    type('show long\n')
    await until('line 3\r\n --More-- ')
    expect(said()).not.toContain('line 4')
    type(' ')
    await until(`${'\b'.repeat(10)}${' '.repeat(10)}${'\b'.repeat(10)}line 4`)
    type('\r')
    await until('line 8')
    expect(said()).not.toContain('line 9')
    type('q')
    await expect.poll(() => said().endsWith('router-17>')).toBe(true)
    type('terminal length 0\nshow long\n')
    await until('line 9\r\nrouter-17>')
  })

  it('breaks what it says over packets, slowly if it is told to', async () => {
    const { packets, until } = await makeShell({ platform: 'cisco_nxos', packetSize: 3, outputDelay: 5 })
    const start = performance.now()
    await until('router-17# ')
    expect(packets).toEqual(['rou', 'ter', '-17', '# '])
    expect(performance.now() - start).toBeGreaterThan(5)
  })

  it('keeps a configuration, and commits it where its kind does', async () => {
    const junos = await makeShell({ platform: 'juniper_junos', config: [] })
    junos.type('configure\nset system ntp server 10.0.0.1\n')
    await junos.until('[edit]\r\nadmin@router-17# ')
    junos.type('exit\nno\ncommit\nexit\n')
    await junos.until('commit complete')
    await junos.until('Exiting configuration mode')
    expect(junos.said()).toContain('Exit with uncommitted changes? [yes,no] (yes) ')
    expect(junos.device.config).toEqual(['set system ntp server 10.0.0.1'])

    const ios = await makeShell({ platform: 'cisco_iosxe', config: [] })
    ios.type('enable\nconfigure terminal\ninterface Gi0/1\ndescription x\nexit\nhostname core-1\nend\n')
    await ios.until('core-1#')
    expect(ios.said()).toContain('router-17(config-if)#')
    expect(ios.device.config).toEqual(['interface Gi0/1', ' description x', 'hostname core-1'])
    expect(ios.device.hostname).toBe('core-1')
  })

  it('refuses a commit when it is told to, and keeps the changes for another', async () => {
    const { device, type, until } = await makeShell({
      platform: 'juniper_junos',
      config: [],
      refuseCommit: (lines) => (lines.length > 1 ? 'error: commit failed: one at a time' : undefined),
    })
    type('configure\nset system a\nset system b\ncommit\n')
    await until('error: commit failed: one at a time')
    expect(device.config).toEqual([])
    type('rollback\nset system c\ncommit\n')
    await until('commit complete')
    expect(device.config).toEqual(['set system c'])
  })

  it('throws away what was not committed when its session ends', async () => {
    const { device, channel, type, until } = await makeShell({ platform: 'juniper_junos', config: [] })
    type('configure\nset system ntp server 10.0.0.1\n')
    await until('[edit]')
    channel.close()
    await once(channel, 'close')
    expect(device.config).toEqual([])
  })

  it('runs commands over exec channels where its kind does, with an exit code', async () => {
    const device = await makeDevice({ platform: 'linux', commands: { whoami: ({ user, session }) => `${user} in session ${session}` } })
    const client = await clientOf(device)
    expect(await run(client, 'whoami')).toEqual({ out: 'admin in session 1\n', code: 0 })
    expect(await run(client, 'bogus')).toEqual({ out: 'bash: bogus: command not found\n', code: 127 })
    await expect(run(await clientOf(await makeDevice({ platform: 'h3c_comware' })), 'display clock')).rejects.toThrow('Unable to exec')
  })

  it('ends the connection with its first channel where its kind does', async () => {
    const device = await makeDevice({ platform: 'cisco_iosxe' })
    const client = await clientOf(device)
    const ended = endOf(client)
    expect((await run(client, 'show clock')).out).toMatch(/UTC/)
    await ended
  })

  it('lets nobody in but its users, by the ways that it offers', async () => {
    const key = makeUserKey()
    const device = await makeDevice({ platform: 'linux', users: [{ name: 'ops', password: 'x', publicKey: key.public }] })
    await clientOf(device, { username: 'ops', password: 'x' })
    await clientOf(device, { username: 'ops', privateKey: key.private })
    for (const wrong of [
      { username: 'ops', password: 'y' },
      { username: 'ops', privateKey: makeUserKey().private },
      { username: 'admin' },
    ]) {
      await expect(clientOf(device, { password: '', ...wrong })).rejects.toThrow('All configured authentication methods failed')
    }
    const open = await makeDevice({ platform: 'linux', authentication: ['none'] })
    await clientOf(open, { authHandler: ['none'] })
  })

  it.each([
    ['disconnect', 'TOO_MANY_CONNECTIONS'],
    ['close', 'Connection lost before handshake'],
  ] as const)('that is full says so by %s, and counts', async (whenFull, message) => {
    const device = await makeDevice({ platform: 'cisco_nxos', sessionLimit: 1, whenFull })
    const first = await clientOf(device)
    await expect(clientOf(device)).rejects.toThrow(message)
    expect([device.mostSessions, device.refused]).toEqual([1, 1])
    first.end()
    await expect.poll(() => device.sessions).toEqual([])
    await clientOf(device)
  })

  it('that is full says so in the shell, or opens no channel', async () => {
    const text = await makeDevice({ platform: 'huawei_vrp', sessionLimit: 0, whenFull: 'text' })
    const shell = await shellOf(await clientOf(text))
    await shell.until('The number of users has reached the upper limit')
    const channel = await makeDevice({ platform: 'huawei_vrp', sessionLimit: 0, whenFull: 'channel' })
    await expect(shellOf(await clientOf(channel))).rejects.toThrow('Channel open failure')
  })

  it('tells who is there, and drops sessions one by one, with a word or without', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const clients = [await clientOf(device), await clientOf(device), await clientOf(device)]
    const ended = clients.map(endOf)
    await shellOf(clients[1] as ssh2.Client)
    expect(device.sessions).toMatchObject([
      { id: 1, user: 'admin', channels: 0 },
      { id: 2, channels: 1 },
      { id: 3, channels: 0 },
    ])
    device.kill(2)
    await ended[1]
    device.disconnect(1)
    await ended[0]
    await expect.poll(() => device.sessions.map(({ id }) => id)).toEqual([3])
    device.kill()
    await ended[2]
  })

  it('hangs, for old sessions and for new ones, and goes on where it was', async () => {
    const { device, until, type, said } = await makeShell({ platform: 'cisco_nxos' })
    await until('router-17# ')
    device.hang()
    type('show clock\n')
    const late = connect(device.port, device.host)
    endAfterTest(() => late.destroy())
    let greeting = ''
    late.on('data', (data) => {
      greeting += data.toString()
    })
    await once(late, 'connect')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect([said().includes('UTC'), greeting]).toEqual([false, ''])
    device.wake()
    await until('UTC')
    await expect.poll(() => greeting).toContain('SSH-2.0')
  })

  it('reboots on the same port with the same key, and drops all sessions', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const client = await clientOf(device)
    const ended = endOf(client)
    const { port, fingerprint } = device
    const rebooted = device.reboot({ downFor: 50 })
    await ended
    const refused = connect(port, device.host)
    expect(await once(refused, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }])
    await rebooted
    expect([device.port, device.fingerprint]).toEqual([port, fingerprint])
    await clientOf(device)
  })

  it('does not come back from a reboot when it is closed meanwhile, and waits no longer for it', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const rebooted = device.reboot({ downFor: 60_000 })
    await device.close()
    await rebooted
    await device.reboot({ downFor: 0 })
    const refused = connect(device.port, device.host)
    expect(await once(refused, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }])
  })

  it('reboots once more when it is told so during a reboot', async () => {
    const device = await makeDevice({ platform: 'linux' })
    await Promise.all([device.reboot({ downFor: 20 }), device.reboot({ downFor: 20 })])
    await clientOf(device)
  })

  it('has no session of a peer that left while it hung', async () => {
    const device = await makeDevice({ platform: 'linux', sessionLimit: 1 })
    device.hang()
    const impatient = connect(device.port, device.host)
    await once(impatient, 'connect')
    impatient.write('SSH-2.0-impatient\r\n')
    await new Promise((resolve) => setTimeout(resolve, 20))
    impatient.resetAndDestroy()
    await new Promise((resolve) => setTimeout(resolve, 50))
    device.wake()
    expect(device.sessions).toEqual([])
    await clientOf(device)
  })

  it.each([
    ['setOutput', { packetSize: 0 }, 'packetSize'],
    ['setOutput', { outputDelay: Number.NaN }, 'outputDelay'],
    ['reboot', { downFor: -1 }, 'downFor'],
    ['reboot', { downtime: 5 }, 'downtime'],
  ] as const)('refuses wrong options of %s: %j', async (method, options, path) => {
    const device = await makeDevice({ platform: 'linux' })
    const refused = { code: 'INVALID_CONFIG', problems: [{ path }] }
    await expect((async () => device[method](options as object))()).rejects.toMatchObject(refused)
  })

  it('lets through to other hosts when it is told to', async () => {
    const far = await makeDevice({ platform: 'linux', commands: { whoami: 'far away' } })
    const jump = await makeDevice({ platform: 'linux', forwarding: true })
    const through = (client: ssh2.Client): Promise<ssh2.ClientChannel> =>
      new Promise((resolve, reject) => {
        client.forwardOut('127.0.0.1', 0, far.host, far.port, (error, channel) => (error === undefined ? resolve(channel) : reject(error)))
      })
    const client = await clientOf(far, { sock: await through(await clientOf(jump)) })
    expect((await run(client, 'whoami')).out).toBe('far away\n')
    expect(jump.sessions[0]?.tunnels).toBe(1)
    client.end()
    await expect.poll(() => jump.sessions[0]?.tunnels).toBe(0)
    await expect(through(await clientOf(far))).rejects.toThrow('Channel open failure')
  })

  it('shows a log line in every shell', async () => {
    const { device, until } = await makeShell({ platform: 'cisco_iosxe' })
    await until('router-17>')
    device.log('%LINK-3-UPDOWN: Interface Gi0/1, changed state to up')
    await until('router-17>\r\n%LINK-3-UPDOWN: Interface Gi0/1, changed state to up\r\nrouter-17>')
  })

  it('has keys of several types, and says how known_hosts has them', async () => {
    const device = await makeDevice({ platform: 'linux', hostKeys: ['ed25519', 'ecdsa', 'rsa'] })
    expect(device.hostKeys.map(({ line }) => line.split(' ')[0])).toEqual(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa'])
    expect(device.knownHosts.split('\n')[0]).toBe(`[127.0.0.1]:${device.port} ${device.hostKeys[0]?.line}`)
    expect(device.fingerprint).toMatch(/^SHA256:/)
  })

  it('listens where it is told to, and leaves nothing when it is closed', async () => {
    const first = await makeDevice({ platform: 'linux' })
    const { port } = first
    await expect(makeDevice({ platform: 'linux', port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    const client = await clientOf(first)
    const ended = endOf(client)
    await first.close()
    await first.close()
    await ended
    const second = await makeDevice({ platform: 'linux', port })
    expect(second.port).toBe(port)
  })

  it.each([
    [{}, 'platform'],
    [{ platform: 'cisco_ios' }, 'platform'],
    [{ platform: 'linux', hostnam: 'x' }, 'hostnam'],
    [{ platform: 'linux', sessionLimit: -1 }, 'sessionLimit'],
    [{ platform: 'linux', whenFull: 'cry' }, 'whenFull'],
    [{ platform: 'linux', users: [{ password: 'x' }] }, 'users'],
    [{ platform: 'linux', commands: { x: 5 } }, 'commands'],
    [{ platform: 'linux', packetSize: 0 }, 'packetSize'],
    [{ platform: 'linux', authentication: ['telepathy'] }, 'authentication'],
    [{ platform: 'linux', hostKeys: ['dsa'] }, 'hostKeys'],
    [{ platform: 'linux', enableSecret: ['open-sesame'] }, 'enableSecret'],
    [null, 'options'],
  ])('refuses wrong options: %j', async (options, path) => {
    const refusal = await makeDevice(options as DeviceOptions).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'INVALID_CONFIG', problems: [{ path }] })
    expect((refusal as Error).message).not.toContain('sesame')
  })
})
