import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Cli, CliCommandError, type CliOptions, SshError, ssh } from '../../src/drivers/ssh.ts'
import type { DeviceOptions, DevicePlatform } from '../../src/testing/devices/index.ts'
import { addressOf, connectTo, makeDevice, openDevice } from '../support/devices.ts'

const SECRET = 'open-sesame'
const LINES = Array.from({ length: 60 }, (_, index) => `line ${index + 1} of 60`)
const LONG = LINES.join('\n')

/** What one platform has that another has not. */
interface Expected {
  readonly level: string
  readonly prompt: string
  readonly clock: string
  /** The level in which the enable secret leaves one, and the prompt there. */
  readonly raised: string
  readonly raisedPrompt: string
  readonly mark: RegExp
  /** A line of configuration that is right, and what it looks like in the running one. */
  readonly line: string
  readonly configPrompt: string
  readonly commits: boolean
}

const PLATFORMS: Readonly<Record<Exclude<DevicePlatform, 'linux'>, Expected>> = {
  cisco_iosxe: {
    level: 'exec',
    prompt: 'router-17>',
    clock: 'show clock',
    raised: 'enable',
    raisedPrompt: 'router-17#',
    mark: /% Invalid input detected/,
    line: 'ntp server 10.0.0.1',
    configPrompt: 'router-17(config)#',
    commits: false,
  },
  cisco_iosxr: {
    level: 'exec',
    prompt: 'RP/0/RP0/CPU0:router-17#',
    clock: 'show clock',
    raised: 'exec',
    raisedPrompt: 'RP/0/RP0/CPU0:router-17#',
    mark: /% Invalid input detected/,
    line: 'ntp server 10.0.0.1',
    configPrompt: 'RP/0/RP0/CPU0:router-17(config)#',
    commits: true,
  },
  cisco_nxos: {
    level: 'enable',
    prompt: 'router-17#',
    clock: 'show clock',
    raised: 'enable',
    raisedPrompt: 'router-17#',
    mark: /% Invalid command/,
    line: 'ntp server 10.0.0.1',
    configPrompt: 'router-17(config)#',
    commits: false,
  },
  arista_eos: {
    level: 'exec',
    prompt: 'router-17>',
    clock: 'show clock',
    raised: 'enable',
    raisedPrompt: 'router-17#',
    mark: /% Invalid input/,
    line: 'ntp server 10.0.0.1',
    configPrompt: 'router-17(config)#',
    commits: false,
  },
  juniper_junos: {
    level: 'exec',
    prompt: 'admin@router-17>',
    clock: 'show system uptime',
    raised: 'exec',
    raisedPrompt: 'admin@router-17>',
    mark: /syntax error/,
    line: 'set system ntp server 10.0.0.1',
    configPrompt: 'admin@router-17#',
    commits: true,
  },
  huawei_vrp: {
    level: 'exec',
    prompt: '<router-17>',
    clock: 'display clock',
    raised: 'exec',
    raisedPrompt: '<router-17>',
    mark: /Error: Unrecognized command/,
    line: 'ntp server 10.0.0.1',
    configPrompt: '[~router-17]',
    commits: true,
  },
  h3c_comware: {
    level: 'exec',
    prompt: '<router-17>',
    clock: 'display clock',
    raised: 'exec',
    raisedPrompt: '<router-17>',
    mark: /% Unrecognized command/,
    line: 'ntp server 10.0.0.1',
    configPrompt: '[router-17]',
    commits: false,
  },
}

/** A CLI on a device that has a long answer to give. */
const open = async (options: DeviceOptions, cli: Partial<CliOptions> = {}) => {
  const opened = await openDevice({ hostname: 'router-17', ...options, commands: { 'show long': LONG, ...options.commands } }, cli)
  return { ...opened, cli: opened.session.cli }
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  )

describe.each(Object.entries(PLATFORMS) as [keyof typeof PLATFORMS, Expected][])('the CLI of %s', (platform, expected) => {
  it('opens at its prompt behind banners that look like one, with its paging off', async () => {
    const { cli, device } = await open({
      platform,
      banner: 'Authorized users only#',
      motd: 'router-17\n##########\nWelcome>',
      pageLength: 10,
    })
    expect([cli.level, cli.prompt]).toEqual([expected.level, expected.prompt])
    expect(cli.banner).toBe('router-17\n##########\nWelcome>')
    expect(await cli.send('show long')).toBe(LONG)
    expect(device.typed.map(({ line }) => line)).not.toContain(' ')
  })

  it('reads prompts, echoes and answers that break over packets at every character', async () => {
    const { cli } = await open({ platform, packetSize: 1, motd: 'Welcome>' })
    expect(await cli.send(expected.clock)).toMatch(/\d\d:\d\d:\d\d/)
    expect(await cli.send('show long')).toBe(LONG)
    expect(cli.prompt).toBe(expected.prompt)
  })

  it('turns the pages of a device that pages all the same', async () => {
    const { cli } = await open({ platform, pageLength: 7, packetSize: 50 }, { platform: { ...(await platformOf(platform)), prepare: [] } })
    expect(await cli.send('show long')).toBe(LONG)
    expect(await cli.send('show long')).toBe(LONG)
  })

  it('goes to the level of the enable secret, which is seen nowhere', async () => {
    const { cli, device, driver } = await open({ platform, enableSecret: SECRET }, { enableSecret: SECRET })
    expect([cli.level, cli.prompt]).toEqual([expected.raised, expected.raisedPrompt])
    expect(JSON.stringify(device.typed)).not.toContain(SECRET)
    expect(driver.secrets?.()).toContain(SECRET)
  })

  it('rejects what the device refuses, with what it said, and goes on', async () => {
    const { cli, driver } = await open({ platform })
    const error = await failureOf(cli.send('bogus thing'))
    expect(error).toBeInstanceOf(CliCommandError)
    expect(error).toMatchObject({ command: 'bogus thing', output: expect.stringMatching(expected.mark) })
    expect((error as Error).message).toMatch(expected.mark)
    expect(driver.classify?.(error)).toBe('application')
    expect(await cli.send('bogus thing', { allowErrors: true })).toMatch(expected.mark)
    expect(await cli.send(expected.clock)).toMatch(/\d\d:\d\d:\d\d/)
  })

  it('configures, and comes back to where it was', async () => {
    const { cli, device, driver, session } = await open({ platform })
    expect(await cli.configure([expected.line])).toEqual([''])
    expect(device.config.at(-1)).toBe(expected.line)
    expect([cli.level, cli.prompt]).toEqual([expected.level, expected.prompt])
    expect(device.typed.some(({ line }) => line === 'commit')).toBe(expected.commits)
    expect(await driver.reset?.(session)).toBeUndefined()
  })

  it('stops at the first line of configuration that is refused, and leaves nothing half done', async () => {
    const { cli, device, driver, session } = await open({ platform })
    const before = device.config.length
    const error = await failureOf(cli.configure([expected.line, 'bogus thing', 'interface GigabitEthernet0/3']))
    expect(error).toMatchObject({ command: 'bogus thing', output: expect.stringMatching(expected.mark) })
    expect(device.typed.map(({ line }) => line)).not.toContain('interface GigabitEthernet0/3')
    // Where there is no commit, what came before is in force.
    expect(device.config.length).toBe(expected.commits ? before : before + 1)
    expect([cli.level, cli.prompt]).toEqual([expected.level, expected.prompt])
    expect(driver.reset?.(session)).toBeUndefined()
    expect(await cli.send(expected.clock)).toMatch(/\d\d:\d\d:\d\d/)
  })

  it('is brought back by a reset from the middle of the configuration, whose changes are thrown away where that can be', async () => {
    const { cli, device, driver, session } = await open({ platform })
    const before = [...device.config]
    await cli.enter('config')
    expect(cli.prompt).toBe(expected.configPrompt)
    await cli.send(expected.line)
    await driver.reset?.(session)
    expect([cli.level, cli.prompt]).toEqual([expected.level, expected.prompt])
    expect(device.config).toEqual(expected.commits ? before : [...before, expected.line])
    await cli.configure([])
    expect(device.config).toEqual(expected.commits ? before : [...before, expected.line])
  })

  it('follows a device that is given another name', async () => {
    const rename = { juniper_junos: 'set system host-name core-1', huawei_vrp: 'sysname core-1', h3c_comware: 'sysname core-1' }
    const { cli } = await open({ platform })
    await cli.configure([(rename as Record<string, string>)[platform] ?? 'hostname core-1', expected.line])
    expect(cli.prompt).toBe(expected.prompt.replace('router-17', 'core-1'))
    expect(await cli.send(expected.clock)).toMatch(/\d\d:\d\d:\d\d/)
  })

  it('is checked by its health command, in the session', async () => {
    const { driver, session, device } = await open({ platform })
    await driver.check(session, { signal: AbortSignal.timeout(10_000) })
    expect(device.typed.at(-1)?.line).toBe(expected.clock)
  })

  it('that runs out of time in the middle of an answer is never used again', async () => {
    const { cli, device, driver, session } = await open({ platform })
    device.setOutput({ packetSize: 20, outputDelay: 10 })
    const error = await failureOf(cli.send('show long', { timeout: 60 }))
    expect(error).toMatchObject({ code: 'CLI_TIMEOUT', message: expect.stringContaining('no prompt within 60 ms after "show long"') })
    expect(driver.classify?.(error)).toBe('fatal')
    for (const call of [
      () => cli.send(expected.clock),
      () => cli.configure([expected.line]),
      () => cli.enter('exec'),
      () => cli.interact([]),
    ]) {
      expect(await failureOf(call())).toMatchObject({ code: 'CLI_OUT_OF_STEP' })
    }
    expect(() => driver.reset?.(session)).toThrow(/lost step/)
    expect(await failureOf(Promise.resolve(driver.check(session, { signal: AbortSignal.timeout(1000) })))).toMatchObject({
      code: 'CLI_OUT_OF_STEP',
    })
  })
})

/** A platform of the driver by its name, for tests that change something about it. */
async function platformOf(name: DevicePlatform) {
  const { platforms } = await import('../../src/drivers/ssh.ts')
  return platforms[name]
}

describe.each(['cisco_iosxr', 'juniper_junos', 'huawei_vrp'] as const)('a commit on %s', (platform) => {
  const { line, level } = PLATFORMS[platform]

  it('that is refused is thrown away, with what the device said', async () => {
    const said = {
      cisco_iosxr: '% Failed to commit one or more items',
      juniper_junos: 'error: commit failed',
      huawei_vrp: 'Error: The configuration conflicts.',
    }
    const { cli, device, driver, session } = await open({
      platform,
      config: [],
      refuseCommit: (lines) => (lines.length > 1 ? said[platform] : undefined),
    })
    expect(await failureOf(cli.configure([line, line]))).toMatchObject({ command: 'commit', output: said[platform] })
    expect([cli.level, device.config]).toEqual([level, []])
    expect(driver.reset?.(session)).toBeUndefined()
    await cli.configure([line])
    expect(device.config).toEqual([line])
  })

  it('has nothing in it that was refused before, or that another has left, in the level of the configuration either', async () => {
    const { cli, device, driver, session } = await open({ platform, config: [] }, { level: 'config' })
    expect(await failureOf(cli.configure([line, 'bogus thing']))).toMatchObject({ command: 'bogus thing' })
    await cli.configure([])
    expect([cli.level, device.config]).toEqual(['config', []])
    await cli.send(line)
    await driver.reset?.(session)
    await cli.configure([])
    expect([cli.level, device.config]).toEqual(['config', []])
  })

  it('that takes longer than it may costs the connection', async () => {
    let hang = (): void => {}
    const refuseCommit = () => {
      hang()
      return undefined
    }
    const { cli, device, driver, session } = await open({ platform, config: [], refuseCommit }, { commitTimeout: 50 })
    hang = () => device.hang()
    expect(await failureOf(cli.configure([line]))).toMatchObject({
      code: 'CLI_TIMEOUT',
      message: expect.stringContaining('within 50 ms after "commit"'),
    })
    expect(() => driver.reset?.(session)).toThrow(/lost step/)
  })
})

describe('the CLI of linux', () => {
  it('opens behind any prompt, and gives the shell one of its own', async () => {
    const { cli } = await open({ platform: 'linux', motd: '$ this is not a prompt\n#' })
    expect([cli.level, cli.prompt]).toEqual(['exec', 'wellpool$'])
    expect(await cli.send('echo $ and #')).toBe('$ and #')
    expect(await cli.send('echo wellpool')).toBe('wellpool')
  })

  it('becomes root with the secret, and has a prompt of its own there too', async () => {
    const { cli, driver, session } = await open({ platform: 'linux', enableSecret: SECRET }, { enableSecret: SECRET, level: 'exec' })
    await cli.enter('enable')
    expect([cli.level, cli.prompt]).toEqual(['enable', 'wellpool#'])
    await driver.reset?.(session)
    expect([cli.level, cli.prompt]).toEqual(['exec', 'wellpool$'])
  })

  it('has no configuration', async () => {
    const { cli } = await open({ platform: 'linux' })
    await expect(cli.configure(['x'])).rejects.toThrow(TypeError)
  })
})

describe('send', () => {
  it('takes lines that look like prompts for what they are: output', async () => {
    const history = ['router-17#show clock', 'router-17#', 'router-17>', 'router-17(config)#', '--More--x', 'the end'].join('\n')
    const { cli } = await open({ platform: 'cisco_iosxe', packetSize: 3, commands: { 'show history': history } })
    expect(await cli.send('show history')).toBe(history)
    expect(await cli.send('show long')).toBe(LONG)
  })

  it('gives every answer as it is, whatever it says and however it breaks over packets', async () => {
    let answer = ''
    const { cli, device } = await open(
      { platform: 'cisco_iosxe', pageLength: 9, commands: { 'show it': () => answer } },
      { settle: 150, platform: { ...(await platformOf('cisco_iosxe')), prepare: [] } },
    )
    const words = [
      'router-17',
      '#',
      '>',
      'router-17>',
      'router-17#',
      '(config)#',
      ' ',
      '--',
      '--More--',
      'show it',
      'x',
      '\t',
      'ü',
      '% ',
      '^',
    ]
    const line = fc.array(fc.constantFrom(...words), { maxLength: 6 }).map((parts) => parts.join('').trimEnd())
    const lines = fc
      .array(line, { minLength: 1, maxLength: 25 })
      .filter((all) => all.at(-1) !== '' && !all.some((one) => /^\s*-+More/.test(one)))
    await fc.assert(
      fc.asyncProperty(lines, fc.integer({ min: 1, max: 60 }), async (said, packetSize) => {
        answer = said.join('\n')
        device.setOutput({ packetSize })
        expect(await cli.send('show it')).toBe(answer)
      }),
      { numRuns: 15 },
    )
  }, 30_000)

  it('waits for what comes behind a prompt in the middle of a line', async () => {
    const { cli, device } = await open(
      { platform: 'cisco_iosxe', commands: { 'show log': 'router-17>show version\nthe end' } },
      { settle: 200 },
    )
    // The device sends the first key that it echoes, and then as much as ends where the line looks like the prompt.
    device.setOutput({ packetSize: 'how log\r\nrouter-17>'.length, outputDelay: 20 })
    expect(await cli.send('show log')).toBe('router-17>show version\nthe end')
  })

  it('leaves out what the device says before it takes the command', async () => {
    const { cli, device } = await open({ platform: 'cisco_iosxe' })
    device.log('%LINK-3-UPDOWN: Interface Gi0/1, changed state to up')
    await delay(20)
    expect(await cli.send('show clock')).toMatch(/^\d\d:\d\d:\d\d\S* UTC .*$/)
  })

  it('keeps what is said in the middle of an answer in the answer', async () => {
    const { cli, device } = await open({ platform: 'cisco_iosxe' })
    device.setOutput({ packetSize: 200, outputDelay: 10 })
    const answer = cli.send('show long')
    await delay(15)
    device.setOutput({ outputDelay: 0 })
    expect((await answer).split('\n')).toEqual(expect.arrayContaining(LINES))
  })

  it('does its calls one after the other, in the order in which they were made', async () => {
    const { cli, device } = await open({ platform: 'cisco_iosxe', packetSize: 10 })
    const answers = await Promise.all([cli.send('show long'), cli.send('show clock'), cli.sendAll(['show version', 'show clock'])])
    expect(answers[0]).toBe(LONG)
    expect(answers[1]).toMatch(/UTC/)
    expect(answers[2][0]).toMatch(/IOS XE/)
    expect(device.typed.slice(-4).map(({ line }) => line)).toEqual(['show long', 'show clock', 'show version', 'show clock'])
  })

  it('ends sendAll at the first command that is refused', async () => {
    const { cli, device } = await open({ platform: 'cisco_iosxe' })
    expect(await failureOf(cli.sendAll(['show clock', 'bogus', 'show version']))).toMatchObject({ command: 'bogus' })
    expect(device.typed.map(({ line }) => line)).not.toContain('show version')
    expect(await cli.sendAll(['bogus', 'show clock'], { allowErrors: true })).toHaveLength(2)
  })

  it('refuses more than one line at a time', async () => {
    const { cli, device } = await open({ platform: 'cisco_iosxe' })
    const before = device.typed.length
    for (const text of ['show clock\nshow version', 'show\rclock', 'show clock\n']) {
      await expect(cli.send(text)).rejects.toThrow(TypeError)
      await expect(cli.configure([text])).rejects.toThrow(TypeError)
      await expect(cli.interact([{ send: text }])).rejects.toThrow(TypeError)
    }
    expect(device.typed.length).toBe(before)
  })

  it('takes commands that are wider than the terminal', async () => {
    const wide = `show ${'x'.repeat(700)}`
    const { cli } = await open({ platform: 'cisco_iosxe', commands: { [wide]: 'wide' } })
    expect(await cli.send(wide)).toBe('wide')
  })

  it('rejects at once with the reason of its signal, and the CLI is of no more use when something was sent', async () => {
    const { cli, device, driver, session } = await open({ platform: 'cisco_iosxe' })
    const reason = new Error('no longer wanted')
    await expect(cli.send('show clock', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(await cli.send('show clock')).toMatch(/UTC/)

    device.setOutput({ packetSize: 10, outputDelay: 10 })
    const controller = new AbortController()
    const first = cli.send('show long')
    const waiting = failureOf(cli.send('show version', { signal: controller.signal }))
    controller.abort(reason)
    // Who has not had his turn loses it, and nobody else anything.
    expect(await waiting).toBe(reason)
    device.setOutput({ outputDelay: 0 })
    expect(await first).toBe(LONG)

    device.setOutput({ packetSize: 10, outputDelay: 20 })
    const other = new AbortController()
    const late = failureOf(cli.send('show long', { signal: other.signal }))
    await delay(60)
    other.abort(reason)
    expect(await late).toBe(reason)
    expect(await failureOf(cli.send('show clock'))).toMatchObject({ code: 'CLI_OUT_OF_STEP' })
    expect(() => driver.reset?.(session)).toThrow(/lost step/)
  })

  it('refuses a time-out that is none', async () => {
    const { cli } = await open({ platform: 'cisco_iosxe' })
    await expect(cli.send('show clock', { timeout: 'soon' })).rejects.toThrow(TypeError)
    expect(await cli.send('show clock', { timeout: 0 })).toMatch(/UTC/)
    expect(await cli.send('show clock', { timeout: Number.POSITIVE_INFINITY })).toMatch(/UTC/)
  })

  it('gives up an answer that is longer than maxOutput', async () => {
    const { cli, driver, session } = await open({ platform: 'cisco_iosxe' }, { maxOutput: 500 })
    expect(await cli.send('show clock')).toMatch(/UTC/)
    expect(await failureOf(cli.send('show long'))).toMatchObject({ code: 'SSH_OUTPUT_LIMIT' })
    expect(() => driver.reset?.(session)).toThrow(/lost step/)
  })

  it('says which command has not come back from a device that does not echo, and takes such a device with echo: false', async () => {
    const { cli, device } = await open({ platform: 'cisco_iosxe' }, { echo: false })
    expect(await cli.send('show long')).toContain('line 60 of 60')
    device.hang()
    const error = await failureOf(cli.send('show clock', { timeout: 50 }))
    expect(error).toMatchObject({ code: 'CLI_TIMEOUT' })
    expect((error as Error).message).not.toContain('echo: false')

    const other = await open({ platform: 'cisco_iosxe' })
    other.device.hang()
    expect(await failureOf(other.cli.send('show clock', { timeout: 50 }))).toMatchObject({
      message: expect.stringContaining('echo: false'),
    })
  })
})

describe('configure', () => {
  it('comes back to where it was when the way to the configuration is refused', async () => {
    const { cli, device } = await open({
      platform: 'cisco_iosxe',
      commands: { 'configure terminal': '% Configuration locked by another user' },
    })
    expect(await failureOf(cli.configure(['ntp server 10.0.0.1']))).toMatchObject({ command: 'configure terminal' })
    expect(cli.level).toBe('exec')
    expect(device.typed.at(-1)?.line).toBe('disable')
  })

  it('tells what failed first, even if what follows fails as well', async () => {
    const junos = await platformOf('juniper_junos')
    const levels = junos.levels.map((level) => (level.name === 'config' ? { ...level, leave: 'bogus way out' } : level))
    const { cli, device, driver, session } = await open({ platform: 'juniper_junos' }, { platform: { ...junos, levels } })
    expect(await failureOf(cli.configure(['bogus thing']))).toMatchObject({ command: 'bogus thing' })
    expect(device.typed.at(-1)?.line).toBe('bogus way out')
    await expect(driver.reset?.(session)).rejects.toMatchObject({ command: 'bogus way out' })
  })

  it('of nothing goes there and back', async () => {
    const { cli, device } = await open({ platform: 'cisco_iosxe' })
    expect(await cli.configure([])).toEqual([])
    expect(device.typed.slice(-4).map(({ line }) => line)).toEqual(['enable', 'configure terminal', 'end', 'disable'])
  })
})

describe('interact', () => {
  const answers = (cli: Cli, ...words: string[]): Promise<string> => cli.interact(words.map((send) => ({ send })))

  it('answers what the device asks', async () => {
    const { cli } = await open({ platform: 'cisco_iosxe', enableSecret: SECRET }, { enableSecret: SECRET })
    const said = await cli.interact([{ send: 'reload', expect: /\[confirm\]/ }, { send: '' }])
    expect(said).toContain('Proceed with reload? [confirm]')
    expect(cli.prompt).toBe('router-17#')
  })

  it('takes a text for what it is, and sends hidden input that is seen nowhere', async () => {
    const { cli, driver } = await open({ platform: 'cisco_iosxe', enableSecret: SECRET })
    await cli.interact([
      { send: 'enable', expect: 'Password: ' },
      { send: SECRET, hidden: true },
    ])
    expect(cli.level).toBe('enable')
    expect(driver.secrets?.()).toContain(SECRET)

    const echoing = await open({ platform: 'linux', commands: { [SECRET]: `you said ${SECRET}` } })
    expect(await echoing.cli.interact([{ send: SECRET, hidden: true }])).not.toContain(SECRET)
    const refused = await open({ platform: 'cisco_iosxe' })
    const error = await failureOf(refused.cli.interact([{ send: SECRET, hidden: true }]))
    expect(error).toMatchObject({ code: 'CLI_COMMAND', command: '***' })
    expect(`${(error as Error).message}${(error as CliCommandError).output}`).not.toContain(SECRET)
  })

  it('takes a pattern that remembers where it looked last', async () => {
    const { cli } = await open({ platform: 'cisco_iosxe', enableSecret: SECRET }, { enableSecret: SECRET })
    const confirm = /\[confirm\]/g
    for (let round = 0; round < 3; round++) await cli.interact([{ send: 'reload', expect: confirm }, { send: '' }])
    expect(cli.prompt).toBe('router-17#')
  })

  it('knows that the device is at its prompt when that is what was expected, or stands behind it', async () => {
    const saved = 'Building configuration...\n[OK]'
    const { cli, driver, session } = await open({ platform: 'cisco_iosxe', commands: { 'write memory': saved } })
    for (const expected of [/\[OK\]/, /router-17>$/]) {
      expect(await cli.interact([{ send: 'write memory', expect: expected }])).toBe(saved)
      expect(driver.reset?.(session)).toBeUndefined()
    }
    await cli.interact([{ send: 'enable', expect: '#' }])
    expect([cli.level, cli.prompt]).toEqual(['enable', 'router-17#'])
  })

  it('rejects when the device does not ask', async () => {
    const { cli } = await open({ platform: 'cisco_iosxe' })
    const error = await failureOf(cli.interact([{ send: 'show clock', expect: /\[confirm\]/ }, { send: 'y' }]))
    expect(error).toMatchObject({ code: 'CLI_COMMAND', message: expect.stringContaining('did not say what was expected') })
    expect(await answers(cli, 'show clock')).toMatch(/UTC/)
  })

  it('that leaves the device in the middle of a question costs the connection', async () => {
    const { cli, driver, session } = await open({ platform: 'cisco_iosxe', enableSecret: SECRET }, { enableSecret: SECRET })
    expect(await cli.send('reload', { expect: /\[confirm\]/ })).toContain('[confirm]')
    await expect(driver.reset?.(session)).rejects.toThrow(/middle of a dialog/)
  })
})

describe('the enable secret', () => {
  it('that is wrong is refused after one try, and the connect with it is hopeless', async () => {
    const device = await makeDevice({ platform: 'cisco_iosxe', enableSecret: SECRET })
    const driver = ssh({ ...addressOf(device), cli: { platform: 'cisco_iosxe', enableSecret: 'wrong-one' } })
    const error = await failureOf(connectTo(driver))
    expect(error).toMatchObject({ code: 'CLI_SECRET' })
    expect((error as Error).message).not.toContain('wrong-one')
    expect(driver.classify?.(error)).toBe('fatal')
    expect(device.typed.filter(({ line }) => line === '***')).toHaveLength(1)
  })

  it.each(['huawei_vrp', 'h3c_comware', 'cisco_nxos'] as const)('that is wrong is noticed on %s', async (platform) => {
    const device = await makeDevice({ platform, enableSecret: SECRET, hostname: 'router-17' })
    const cli = platform === 'cisco_nxos' ? ({ platform, level: 'exec' } as const) : ({ platform, enableSecret: 'wrong-one' } as const)
    const driver = ssh({ ...addressOf(device), cli })
    if (platform !== 'cisco_nxos') {
      expect(await failureOf(connectTo(driver))).toMatchObject({ code: 'CLI_SECRET' })
      return
    }
    const session = await connectTo(driver)
    expect(await failureOf(session.cli.enter('enable'))).toMatchObject({
      code: 'CLI_SECRET',
      message: expect.stringContaining('enableSecret'),
    })
  })

  it('that the device asks for and nobody gave is said', async () => {
    const { cli } = await open({ platform: 'cisco_iosxe', enableSecret: SECRET })
    expect(await failureOf(cli.enter('enable'))).toMatchObject({
      code: 'CLI_SECRET',
      message: expect.stringContaining('give the option enableSecret'),
    })
  })

  it('may be a function that is asked when the device asks', async () => {
    const asked: AbortSignal[] = []
    const enableSecret = async ({ signal }: { signal: AbortSignal }) => {
      asked.push(signal)
      return SECRET
    }
    const { cli } = await open({ platform: 'cisco_iosxe', enableSecret: SECRET }, { enableSecret })
    expect(cli.level).toBe('enable')
    expect(asked).toHaveLength(1)
  })
})

describe('openCli', () => {
  it('opens a CLI in a session that keeps none, and giving the session back closes it', async () => {
    const device = await makeDevice({ platform: 'cisco_nxos', hostname: 'leaf-1' })
    const driver = ssh(addressOf(device))
    const session = await connectTo(driver)
    const cli = await session.openCli({ platform: 'cisco_nxos' })
    expect(await cli.send('show clock')).toMatch(/UTC/)
    expect(device.sessions[0]?.channels).toBe(1)
    await driver.reset?.(session)
    expect(device.sessions[0]?.channels).toBe(0)
    expect(await failureOf(cli.send('show clock'))).toMatchObject({ code: 'CLI_CLOSED' })
    expect((await session.run('show clock')).stdout).toMatch(/UTC/)
  })

  it('may be closed by who opened it', async () => {
    const device = await makeDevice({ platform: 'cisco_nxos' })
    const session = await connectTo(ssh(addressOf(device)))
    const cli = await session.openCli({ platform: 'cisco_nxos' })
    await cli.close()
    expect(device.sessions[0]?.channels).toBe(0)
    expect(await failureOf(cli.send('show clock'))).toMatchObject({ code: 'CLI_CLOSED' })
  })

  it('refuses wrong options', async () => {
    const session = await connectTo(ssh(addressOf(await makeDevice({ platform: 'linux' }))))
    await expect(session.openCli({ platform: 'cisco_ios' as 'linux' })).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
  })

  it('that meets no prompt says what the device said, and leaves no channel', async () => {
    const device = await makeDevice({ platform: 'linux', motd: 'Press RETURN to get started.' })
    const session = await connectTo(ssh(addressOf(device)))
    const error = await failureOf(session.openCli({ platform: 'huawei_vrp', timeout: 300 }))
    expect(error).toMatchObject({ code: 'CLI_NO_PROMPT', message: expect.stringContaining('Press RETURN') })
    await expect.poll(() => device.sessions[0]?.channels).toBe(0)
  })

  it('is given up by its signal, and leaves no channel', async () => {
    const device = await makeDevice({ platform: 'linux' })
    const session = await connectTo(ssh(addressOf(device)))
    const controller = new AbortController()
    const opening = failureOf(session.openCli({ platform: 'huawei_vrp' }, { signal: controller.signal }))
    await expect.poll(() => device.sessions[0]?.channels).toBe(1)
    const reason = new Error('no longer wanted')
    controller.abort(reason)
    expect(await opening).toBe(reason)
    await expect.poll(() => device.sessions[0]?.channels).toBe(0)
  })

  it('needs no second look at the prompt of a device whose name is given', async () => {
    const { cli, device } = await open({ platform: 'cisco_iosxe' }, { prompt: 'router-17' })
    expect(cli.prompt).toBe('router-17>')
    expect(device.typed[0]?.line).toBe('terminal length 0')
  })

  it('answers what some devices ask before they show their prompt', async () => {
    const { platforms, definePlatform } = await import('../../src/drivers/ssh.ts')
    const platform = definePlatform({ ...platforms.linux, greetings: [{ expect: /Change now\? \[Y\/N\]:$/, send: 'echo no' }] })
    const { cli, device } = await open({ platform: 'linux', motd: 'The password needs to be changed. Change now? [Y/N]:\b' }, { platform })
    expect(cli.prompt).toBe('wellpool$')
    expect(device.typed.length).toBeGreaterThan(0)
  })

  it('reports a CLI that is kept as lost when the device closes it', async () => {
    const { driver, session } = await open({ platform: 'cisco_nxos' })
    const lost = new Promise<unknown>((resolve) => driver.watch?.(session, { lost: resolve, retire: () => {} }))
    await failureOf(session.cli.send('exit'))
    expect(await lost).toBeInstanceOf(SshError)
  })
})
