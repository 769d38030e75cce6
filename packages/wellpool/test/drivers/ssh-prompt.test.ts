import { describe, expect, it } from 'vitest'
import { platforms } from '../../src/drivers/ssh-platforms.ts'
import { PromptMatcher } from '../../src/drivers/ssh-prompt.ts'

type Known = keyof typeof platforms

/** The level and the base that a device of this kind has with this prompt, if it is one. */
const read = (platform: Known, line: string, base?: string): string | undefined => {
  const prompt = new PromptMatcher(platforms[platform], base).match(line)
  return prompt === undefined ? undefined : `${prompt.level.name} ${prompt.base}`
}

describe('the prompts of', () => {
  it.each([
    ['cisco_iosxe', 'router-17>', 'exec router-17'],
    ['cisco_iosxe', 'router-17#', 'enable router-17'],
    ['cisco_iosxe', 'router-17(config)#', 'config router-17'],
    ['cisco_iosxe', 'router-17(config-if)#', 'config router-17'],
    ['cisco_iosxe', 'router-17(ca-trustpoint)#', 'config router-17'],
    ['cisco_iosxe', 'core.example.net_1+a#', 'enable core.example.net_1+a'],
    ['cisco_iosxr', 'RP/0/RP0/CPU0:core#', 'exec RP/0/RP0/CPU0:core'],
    ['cisco_iosxr', 'RP/0/RSP0/CPU0:core(config-bgp-nbr)#', 'config RP/0/RSP0/CPU0:core'],
    ['cisco_nxos', 'leaf-1#', 'enable leaf-1'],
    ['cisco_nxos', 'leaf-1(config-if-range)#', 'config leaf-1'],
    ['arista_eos', 'spine1.22:14:07#', 'enable spine1.22:14:07'],
    ['arista_eos', 'spine1(config-if-Et1-4)#', 'config spine1'],
    ['juniper_junos', 'ops@mx-1>', 'exec ops@mx-1'],
    ['juniper_junos', 'ops@mx-1#', 'config ops@mx-1'],
    ['huawei_vrp', '<HUAWEI>', 'exec HUAWEI'],
    ['huawei_vrp', '[HUAWEI]', 'config HUAWEI'],
    ['huawei_vrp', '[~HUAWEI-GigabitEthernet0/0/1]', 'config HUAWEI-GigabitEthernet0/0/1'],
    ['huawei_vrp', '[*HUAWEI]', 'config HUAWEI'],
    ['h3c_comware', '<H3C>', 'exec H3C'],
    ['h3c_comware', '[H3C-Ten-GigabitEthernet1/0/1]', 'config H3C-Ten-GigabitEthernet1/0/1'],
    ['linux', 'ops@bastion:~$', 'exec ops@bastion:~'],
    ['linux', '[root@bastion ~]#', 'enable [root@bastion ~]'],
    ['linux', '$', 'exec '],
  ] as const)('%s: %s', (platform, line, expected) => {
    expect(read(platform, line)).toBe(expected)
  })

  it.each([
    ['cisco_iosxe', 'building configuration...>'],
    ['cisco_iosxe', '*** Welcome to router-17 #'],
    ['cisco_iosxe', 'router-17# show'],
    ['cisco_iosxe', '#'],
    ['cisco_iosxe', 'Password:'],
    ['juniper_junos', '[edit]'],
    ['huawei_vrp', 'Change now? [Y/N]'],
    ['huawei_vrp', '<HUAWEI> display'],
    ['h3c_comware', '[1] Boot menu'],
  ] as const)('%s are not: %s', (platform, line) => {
    expect(read(platform, line)).toBeUndefined()
  })
})

describe('PromptMatcher', () => {
  it('takes prompts of this device only, once its name is known', () => {
    expect(read('cisco_iosxe', 'router-17#', 'router-17')).toBe('enable router-17')
    expect(read('cisco_iosxe', 'router-1#', 'router-17')).toBeUndefined()
    expect(read('cisco_iosxe', 'router-170#', 'router-17')).toBeUndefined()
    expect(read('huawei_vrp', '<HUAWEI-1>', 'HUAWEI')).toBeUndefined()
  })

  it('takes a name that the prompt of the configuration cuts short, or goes on behind', () => {
    const long = 'access-switch-building-7-floor-3'
    expect(read('cisco_iosxe', 'access-switch-buildi(config)#', long)).toBe('config access-switch-buildi')
    expect(read('cisco_iosxe', 'access-sw(config)#', long)).toBeUndefined()
    expect(read('huawei_vrp', '[HUAWEI-Vlanif10]', 'HUAWEI')).toBe('config HUAWEI-Vlanif10')
    expect(read('huawei_vrp', '[OTHER-Vlanif10]', 'HUAWEI')).toBeUndefined()
  })

  it('takes another name when one is expected, until the device has shown it', () => {
    const matcher = new PromptMatcher(platforms.cisco_iosxe, 'old')
    expect(matcher.match('new#')).toBeUndefined()
    matcher.expectAnother()
    const inConfig = matcher.match('new(config)#')
    if (inConfig !== undefined) matcher.accept(inConfig)
    // The configuration's prompt may have cut it: the name is learnt outside.
    expect(matcher.base).toBe('old')
    const outside = matcher.match('new#')
    if (outside !== undefined) matcher.accept(outside)
    expect(matcher.base).toBe('new')
    expect(matcher.match('old#')).toBeUndefined()
  })
})

describe('the pagers of', () => {
  it.each([
    ['cisco_iosxe', ' --More--'],
    ['cisco_iosxe', '--More-- or (q)uit'],
    ['cisco_nxos', '--More--'],
    ['juniper_junos', '---(more)---'],
    ['juniper_junos', '---(more 45%)---'],
    ['huawei_vrp', '  ---- More ----'],
    ['h3c_comware', '---- More ----'],
    ['cisco_iosxe', '<--- More --->'],
    ['arista_eos', '-- Press any key to continue --'],
  ] as const)('%s: %s', (platform, line) => {
    expect(platforms[platform].pager?.test(line)).toBe(true)
  })

  it.each(['more lines', 'router#', 'no more sessions', '----------', 'description --More-- or less'])('are not: %s', (line) => {
    expect(platforms.cisco_iosxe.pager?.test(line)).toBe(false)
  })
})

describe('the error marks of', () => {
  it.each([
    ['cisco_iosxe', "% Invalid input detected at '^' marker."],
    ['cisco_iosxe', '% Incomplete command.'],
    ['cisco_iosxe', '% Ambiguous command:  "sh"'],
    ['cisco_iosxe', '% Bad secrets'],
    ['cisco_iosxe', 'Command authorization failed.'],
    ['cisco_iosxr', '% Failed to commit one or more configuration items'],
    ['cisco_nxos', '% Permission denied for the role'],
    ['cisco_nxos', "Syntax error while parsing 'foo'"],
    ['arista_eos', '% Unavailable command (not supported on this hardware platform)'],
    ['juniper_junos', 'syntax error, expecting <command>.'],
    ['juniper_junos', 'unknown command.'],
    ['juniper_junos', 'error: commit failed: (statements constraint check failed)'],
    ['huawei_vrp', "Error: Unrecognized command found at '^' position."],
    ['huawei_vrp', 'Error:Too many parameters found'],
    ['h3c_comware', " % Unrecognized command found at '^' position."],
  ] as const)('%s: %s', (platform, line) => {
    expect(platforms[platform].errors.some((error) => error.test(line))).toBe(true)
  })

  it.each([
    ['cisco_iosxe', '%SYS-5-CONFIG_I: Configured from console by ops on vty0'],
    ['cisco_iosxe', '% of the memory is in use'],
    ['cisco_iosxe', ' 0 input errors, 0 CRC, 0 frame'],
    ['juniper_junos', '  Input errors: 0, Output errors: 0'],
    ['huawei_vrp', 'Total Error: 0'],
  ] as const)('%s are not: %s', (platform, line) => {
    expect(platforms[platform].errors.some((error: RegExp) => error.test(line))).toBe(false)
  })
})
