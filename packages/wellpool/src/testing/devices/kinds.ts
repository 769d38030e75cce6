import { BELOW_CONFIG, caret, ciscoRules, clockLine, enable, orElse, saying } from './common-rules.ts'
import type { CliHands, DeviceKind, DeviceLevel, DevicePlatform, DeviceRule, Lines, PromptParts } from './platform.ts'

const ciscoPrompt = ({ hostname, level, mode }: PromptParts): string => {
  if (level === 'exec') return `${hostname}>`
  return level === 'enable' ? `${hostname}#` : `${hostname.slice(0, 20)}(config${mode === '' ? '' : `-${mode}`})#`
}

const IOS_VERSION = ['Cisco IOS XE Software, Version 17.09.04a', 'Simulated Router, 8 cores', 'uptime is 3 weeks, 2 days']

const cisco_iosxe: DeviceKind = {
  loginLevel: 'exec',
  prompt: ciscoPrompt,
  rules: [
    { levels: ['exec'], command: /^enable$/, run: (cli) => enable(cli, { question: 'Password: ', refusal: '% Bad secrets', tries: 3 }) },
    ...ciscoRules({ version: IOS_VERSION }),
    {
      levels: ['enable'],
      command: /^reload$/,
      run: (cli) => cli.ask('Proceed with reload? [confirm]', false, () => ['', '% Reload is not part of this simulation']),
    },
  ],
  unknown: (_command, column) => [caret(column), "% Invalid input detected at '^' marker.", ''],
  pager: { text: ' --More-- ', wipe: `${'\b'.repeat(10)}${' '.repeat(10)}${'\b'.repeat(10)}` },
  pageLength: 24,
  exec: true,
  oneChannel: true,
  commits: false,
  full: '% No more sessions: all VTY lines are in use',
}

const cisco_nxos: DeviceKind = {
  loginLevel: 'enable',
  prompt: ({ hostname, level, mode }) =>
    level === 'config' ? `${hostname}(config${mode === '' ? '' : `-${mode}`})# ` : `${hostname}${level === 'exec' ? '>' : '#'} `,
  rules: [
    {
      levels: ['exec'],
      command: /^enable$/,
      run: (cli) => enable(cli, { question: 'Password: ', refusal: 'ERROR: Access denied', tries: 1 }),
    },
    ...ciscoRules({ version: ['Cisco Nexus Operating System (NX-OS) Software', '  NXOS: version 10.3(4a)'] }),
  ],
  unknown: (_command, column) => [caret(column), "% Invalid command at '^' marker."],
  pager: { text: '--More--', wipe: '\r        \r' },
  pageLength: 24,
  exec: true,
  oneChannel: false,
  commits: false,
  full: 'sorry, maximum number of sessions reached',
}

const arista_eos: DeviceKind = {
  ...cisco_nxos,
  loginLevel: 'exec',
  prompt: ciscoPrompt,
  rules: [
    { levels: ['exec'], command: /^enable$/, run: (cli) => enable(cli, { question: 'Password: ', refusal: '% Bad secret', tries: 3 }) },
    ...ciscoRules({ version: ['Simulated vEOS', 'Software image version: 4.31.2F'] }),
  ],
  unknown: () => ['% Invalid input'],
  pager: { text: ' --More-- ', wipe: '\r\u001b[K' },
  full: 'Too many sessions',
}

/** A device that asks what is to become of changes. */
function leaveUncommitted(cli: CliHands, below: DeviceLevel, question: string): Lines {
  if (!cli.changed) return cli.go(below)
  return cli.ask(question, false, (answer) => {
    if (/^y/i.test(answer)) cli.commit()
    else if (/^n/i.test(answer)) cli.rollback()
    else return []
    return cli.go(below)
  })
}

const cisco_iosxr: DeviceKind = {
  loginLevel: 'enable',
  prompt: ({ hostname, level, mode }) =>
    `RP/0/RP0/CPU0:${hostname}${level === 'config' ? `(config${mode === '' ? '' : `-${mode}`})` : ''}#`,
  rules: [
    { levels: ['config'], command: /^commit$/, run: (cli) => cli.commit() },
    {
      levels: ['config'],
      command: /^abort$/,
      run: (cli) => {
        cli.rollback()
        return cli.go('enable')
      },
    },
    {
      levels: ['config'],
      command: /^end$/,
      run: (cli) => leaveUncommitted(cli, 'enable', 'Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:'),
    },
    ...ciscoRules({ version: ['Cisco IOS XR Software, Version 7.9.2'] }),
  ],
  unknown: (_command, column) => [caret(column), "% Invalid input detected at '^' marker."],
  pager: { text: ' --More-- ', wipe: '\r          \r' },
  pageLength: 24,
  exec: true,
  oneChannel: false,
  commits: true,
  full: 'No more sessions available',
}

const junosConfig = (line: string): DeviceRule['command'] => new RegExp(`^(${line} .+)$`)

const juniper_junos: DeviceKind = {
  loginLevel: 'exec',
  prompt: ({ hostname, user, level, mode }) =>
    level === 'config' ? `[${`edit ${mode}`.trim()}]\r\n${user}@${hostname}# ` : `${user}@${hostname}> `,
  rules: [
    {
      levels: ['exec'],
      command: /^set cli screen-length (\d+)$/,
      run: (cli, lines) => saying(cli.page(Number(lines)), `Screen length set to ${lines}`),
    },
    { levels: ['exec'], command: /^set cli screen-width (\d+)$/, run: (_cli, columns) => [`Screen width set to ${columns}`] },
    { levels: ['exec'], command: /^set cli complete-on-space off$/, run: () => ['Disabling complete-on-space'] },
    { levels: ['exec'], command: /^show version$/, run: () => ['Hostname: simulated', 'Model: vmx', 'Junos: 23.2R1.14'] },
    { levels: ['exec'], command: /^show system uptime$/, run: () => [`Current time: ${clockLine()}`, 'System booted: 3w2d ago'] },
    { levels: ['exec'], command: /^show configuration$/, run: (cli) => cli.running },
    {
      levels: ['exec'],
      command: /^configure(?: private| exclusive)?$/,
      run: (cli) => saying(cli.go('config'), 'Entering configuration mode'),
    },
    { levels: ['exec'], command: /^(?:exit|quit)$/, run: (cli) => cli.leave() },
    {
      levels: ['config'],
      command: /^(set system host-name (\S+))$/,
      run: (cli, line = '', name = '') => {
        cli.configure(line)
        return cli.rename(name)
      },
    },
    {
      levels: ['config'],
      command: junosConfig('(?:set|delete) (?:interfaces|protocols|system|vlans|policy-options|snmp)'),
      run: (cli, line = '') => cli.configure(line),
    },
    { levels: ['config'], command: /^edit (.+)$/, run: (cli, mode) => cli.go('config', mode) },
    { levels: ['config'], command: /^top$/, run: (cli) => cli.go('config') },
    { levels: ['config'], command: /^commit$/, run: (cli) => orElse(cli.commit(), 'commit complete') },
    { levels: ['config'], command: /^rollback(?: 0)?$/, run: (cli) => saying(cli.rollback(), 'load complete') },
    {
      levels: ['config'],
      command: /^(?:exit|exit configuration-mode)$/,
      run: (cli) => {
        if (!cli.changed) return saying(cli.go('exec'), 'Exiting configuration mode')
        const question = 'The configuration has been changed but not committed\r\nExit with uncommitted changes? [yes,no] (yes) '
        return cli.ask(question, false, (answer) => {
          if (/^n/i.test(answer)) return []
          cli.rollback()
          return saying(cli.go('exec'), 'Exiting configuration mode')
        })
      },
    },
  ],
  unknown: (command, column) => [caret(column), /^[a-z]+$/.test(command) ? 'unknown command.' : 'syntax error.'],
  pager: { text: '---(more)---', wipe: '\r            \r' },
  pageLength: 24,
  exec: true,
  oneChannel: false,
  commits: true,
  full: 'no more sessions',
}

/** What Huawei and H3C, whose software has one root, have in common. */
const viewRules = (options: { readonly pagingOff: RegExp; readonly version: Lines; readonly refusal: string }): DeviceRule[] => [
  { levels: ['exec'], command: options.pagingOff, run: (cli) => cli.page(0) },
  { levels: ['exec'], command: /^display clock$/, run: () => [clockLine()] },
  { levels: ['exec'], command: /^display version$/, run: () => options.version },
  { levels: BELOW_CONFIG, command: /^display current-configuration$/, run: (cli) => [...cli.running, 'return'] },
  {
    levels: ['exec'],
    command: /^super$/,
    run: (cli) => cli.ask('Password:', true, (answer) => [cli.isSecret(answer) ? 'Now user privilege is level 3' : options.refusal]),
  },
  {
    levels: ['exec'],
    command: /^system-view$/,
    run: (cli) => saying(cli.go('config'), 'Enter system view, return user view with Ctrl+Z.'),
  },
  { levels: ['exec'], command: /^quit$/, run: (cli) => cli.leave() },
  { levels: ['config'], command: /^quit$/, run: (cli) => (cli.mode === '' ? cli.go('exec') : cli.go('config')) },
  {
    levels: ['config'],
    command: /^(sysname (\S+))$/,
    run: (cli, line = '', name = '') => {
      cli.configure(line)
      return cli.rename(name)
    },
  },
  {
    levels: ['config'],
    command: /^(interface (\S+))$/,
    run: (cli, line = '', mode = '') => {
      cli.configure(line)
      return cli.go('config', mode)
    },
  },
  {
    levels: ['config'],
    command: /^((?:undo )?(?:acl|bgp|description|ip|ntp|port|shutdown|snmp-agent|vlan|user-interface)\b.*)$/,
    run: (cli, line = '') => cli.configure(cli.mode === '' ? line : ` ${line}`),
  },
]

const huawei_vrp: DeviceKind = {
  loginLevel: 'exec',
  prompt: ({ hostname, level, mode, changed }) =>
    level === 'config' ? `[${changed ? '*' : '~'}${hostname}${mode === '' ? '' : `-${mode}`}]` : `<${hostname}>`,
  rules: [
    { levels: ['config'], command: /^commit$/, run: (cli) => cli.commit() },
    { levels: ['config'], command: /^clear configuration candidate$/, run: (cli) => cli.rollback() },
    {
      levels: ['config'],
      command: /^return$/,
      run: (cli) =>
        leaveUncommitted(
          cli,
          'exec',
          'Warning: Uncommitted configurations found. Are you sure to commit them before exiting? [Y(yes)/N(no)/C(cancel)]:',
        ),
    },
    ...viewRules({
      pagingOff: /^screen-length 0 temporary$/,
      version: ['Huawei Versatile Routing Platform Software', 'VRP (R) software, Version 8.191'],
      refusal: 'Error: Authentication failed.',
    }),
  ],
  unknown: (_command, column) => [caret(column), "Error: Unrecognized command found at '^' position."],
  pager: { text: '  ---- More ----', wipe: `\u001b[16D${' '.repeat(16)}\u001b[16D` },
  pageLength: 24,
  exec: false,
  oneChannel: true,
  commits: true,
  full: 'The number of users has reached the upper limit',
}

const h3c_comware: DeviceKind = {
  loginLevel: 'exec',
  prompt: ({ hostname, level, mode }) => (level === 'config' ? `[${hostname}${mode === '' ? '' : `-${mode}`}]` : `<${hostname}>`),
  rules: [
    { levels: ['config'], command: /^return$/, run: (cli) => cli.go('exec') },
    ...viewRules({
      pagingOff: /^screen-length disable$/,
      version: ['H3C Comware Software, Version 7.1.070'],
      refusal: 'Authentication failed',
    }),
  ],
  unknown: (_command, column) => [caret(column), " % Unrecognized command found at '^' position."],
  pager: { text: '---- More ----', wipe: `\r${' '.repeat(14)}\r` },
  pageLength: 24,
  exec: false,
  oneChannel: true,
  commits: false,
  full: 'All user interfaces are used, please try later',
}

const linux: DeviceKind = {
  loginLevel: 'exec',
  prompt: ({ hostname, user, level }) => (level === 'enable' ? `root@${hostname}:~# ` : `${user}@${hostname}:~$ `),
  rules: [
    {
      levels: ['exec'],
      command: /^sudo -i$/,
      run: (cli) => enable(cli, { question: '[sudo] password for you: ', refusal: 'sudo: 3 incorrect password attempts', tries: 3 }),
    },
    { levels: ['enable'], command: /^exit$/, run: (cli) => cli.go('exec') },
    { levels: ['exec'], command: /^exit$/, run: (cli) => cli.leave() },
    {
      levels: BELOW_CONFIG,
      // As much of a shell as it takes to set a prompt that depends on who one is.
      command: /^.*\bif \[ "\$\(id -u\)" = 0 \]; then PS1='([^']*)'; else PS1='([^']*)'; fi$/,
      run: (cli, root = '', other = '') => cli.setPrompt(cli.level === 'enable' ? root : other),
    },
    { levels: BELOW_CONFIG, command: /^PS1='([^']*)'$/, run: (cli, prompt = '') => cli.setPrompt(prompt) },
    { levels: BELOW_CONFIG, command: /^(?::|true)$/, run: () => [] },
    { levels: BELOW_CONFIG, command: /^uname$/, run: () => ['Linux'] },
    { levels: BELOW_CONFIG, command: /^echo(?: (.*))?$/, run: (_cli, text = '') => [text] },
  ],
  unknown: (command) => [`bash: ${command.split(' ')[0]}: command not found`],
  pager: { text: '--More--', wipe: '\r        \r' },
  pageLength: 0,
  exec: true,
  oneChannel: false,
  commits: false,
  full: 'Too many logins',
}

/** All kinds, by name. */
export const DEVICE_KINDS: Readonly<Record<DevicePlatform, DeviceKind>> = {
  arista_eos,
  cisco_iosxe,
  cisco_iosxr,
  cisco_nxos,
  h3c_comware,
  huawei_vrp,
  juniper_junos,
  linux,
}
