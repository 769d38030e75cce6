import type { CliHands, DeviceLevel, DeviceRule, Lines } from './platform.ts'

const EXEC_AND_ENABLE: readonly DeviceLevel[] = ['exec', 'enable']
/** What a user may do without the enable secret, and with it. */
export const BELOW_CONFIG = EXEC_AND_ENABLE

/** A clock that says what time it is, as devices do: `22:04:17.118 UTC Wed Nov 25 2026`. */
export function clockLine(now = new Date()): string {
  const [weekday = '', day, month, year] = now.toUTCString().split(' ')
  return `${now.toISOString().slice(11, 23)} UTC ${weekday.slice(0, 3)} ${month} ${day} ${year}`
}

/** Points at the first sign that is wrong, as Cisco and many others show it. */
export const caret = (column: number): string => `${' '.repeat(column)}^`

/** Does one thing, and says another. */
export const saying = (_done: Lines, ...lines: Lines): Lines => lines

/** What was said, or something else if that was nothing. */
export const orElse = (said: Lines, ...lines: Lines): Lines => (said.length > 0 ? said : lines)

/** Goes up with the enable secret, asked for `tries` times. */
export function enable(cli: CliHands, { question, refusal, tries }: { question: string; refusal: string; tries: number }): Lines {
  if (!cli.hasSecret) return cli.go('enable')
  return cli.ask(question, true, (answer) => {
    if (cli.isSecret(answer)) return cli.go('enable')
    return tries > 1 ? enable(cli, { question, refusal, tries: tries - 1 }) : [refusal]
  })
}

/** The words with which lines of a Cisco-like configuration begin. */
const CONFIG_WORDS =
  /^(?:no |default )?(?:access-list|banner|bgp|description|hostname|interface|ip|ipv6|line|lldp|logging|mtu|neighbor|network|ntp|router|service|shutdown|snmp-server|spanning-tree|speed|switchport|username|vlan|vrf)\b/

/** How the makers who follow Cisco show, page and configure. */
export function ciscoRules(options: { readonly version: Lines; readonly hostname?: string }): DeviceRule[] {
  const { version, hostname = 'hostname' } = options
  return [
    { levels: BELOW_CONFIG, command: /^terminal length (\d+)$/, run: (cli, lines) => cli.page(Number(lines)) },
    { levels: BELOW_CONFIG, command: /^terminal width (\d+)$/, run: () => [] },
    { levels: BELOW_CONFIG, command: /^show clock$/, run: () => [clockLine()] },
    { levels: BELOW_CONFIG, command: /^show version$/, run: () => version },
    { levels: ['enable'], command: /^show running-config$/, run: (cli) => [...cli.running, 'end'] },
    { levels: ['enable'], command: /^disable$/, run: (cli) => cli.go('exec') },
    { levels: ['enable'], command: /^configure terminal$/, run: (cli) => cli.go('config') },
    { levels: BELOW_CONFIG, command: /^(?:exit|quit|logout)$/, run: (cli) => cli.leave() },
    { levels: ['config'], command: /^exit$/, run: (cli) => (cli.mode === '' ? cli.go('enable') : cli.go('config')) },
    { levels: ['config'], command: /^end$/, run: (cli) => cli.go('enable') },
    { levels: ['config'], command: /^do (show clock)$/, run: () => [clockLine()] },
    {
      levels: ['config'],
      command: new RegExp(`^${hostname} (\\S+)$`),
      run: (cli, name = '') => {
        cli.configure(`${hostname} ${name}`)
        return cli.rename(name)
      },
    },
    {
      levels: ['config'],
      command: /^(interface \S+)$/,
      run: (cli, line = '') => {
        cli.configure(line)
        return cli.go('config', 'if')
      },
    },
    {
      levels: ['config'],
      command: new RegExp(`(${CONFIG_WORDS.source}.*)$`),
      run: (cli, line = '') => cli.configure(cli.mode === '' ? line : ` ${line}`),
    },
  ]
}
