import type { CliPlatform } from './ssh-platform.ts'

/** The wait for the reader, as these makers word it. Some add how much has been shown, or what may be typed. */
const MORE = /^\s*(?:<-+\s*more\s*-+>|-+\s*\(?more\b.*|-+\s*press .* to continue.*|press (?:any key|space|<space>).*(?:more|continue).*)$/i

/** A mark of Cisco's and of those who follow it: a sign and what was wrong. Log lines have letters behind the sign. */
const CISCO_ERRORS = [
  /^% ?(?:Invalid|Incomplete|Ambiguous|Unknown|Unrecognized|Unavailable|Bad|Cannot|Can't|Error|Failed|Permission|Authorization|Access denied|Not supported|Too many|Wrong|Parameter|Configuration (?:failed|locked)|This command)/i,
  /^(?:Command|Authorization) (?:authorization )?(?:failed|denied)/i,
]

const name = '[\\w.+\\-/:@~]{1,100}'
const prompt = (source: string): RegExp => new RegExp(`^${source.replace('NAME', `(?<base>${name})`)}$`)

const CISCO_EXEC = { name: 'exec', prompt: prompt('NAME>') } as const
const CISCO_ENABLE = { name: 'enable', prompt: prompt('NAME#'), enter: 'enable', secret: /password:?\s*$/i, leave: 'disable' } as const
/** The name is cut short where it would push the mode out of the line. */
const CISCO_CONFIG = {
  name: 'config',
  prompt: prompt('NAME\\([^()]{1,60}\\)#'),
  loose: true,
  enter: 'configure terminal',
  leave: 'end',
} as const

const cisco_iosxe: CliPlatform = {
  name: 'cisco_iosxe',
  levels: [CISCO_EXEC, CISCO_ENABLE, CISCO_CONFIG],
  prepare: ['terminal length 0', 'terminal width 511'],
  pager: MORE,
  errors: CISCO_ERRORS,
  health: 'show clock',
  renames: /^\s*(?:no\s+)?hostname\b/,
}

const cisco_iosxr: CliPlatform = {
  name: 'cisco_iosxr',
  // Who logs in is where others are after `enable`: the levels of privilege are task groups here.
  levels: [
    { name: 'exec', prompt: prompt('NAME#') },
    { ...CISCO_CONFIG, leave: 'end' },
  ],
  prepare: ['terminal length 0', 'terminal width 511'],
  pager: MORE,
  errors: [...CISCO_ERRORS, /^!! SEMANTIC ERRORS/, /^% ?(?:Failed to commit|Some commands failed)/i],
  health: 'show clock',
  commit: { send: 'commit' },
  discard: ['abort'],
  renames: /^\s*(?:no\s+)?hostname\b/,
}

const cisco_nxos: CliPlatform = {
  name: 'cisco_nxos',
  levels: [CISCO_EXEC, CISCO_ENABLE, CISCO_CONFIG],
  prepare: ['terminal length 0', 'terminal width 511'],
  pager: MORE,
  errors: [...CISCO_ERRORS, /^(?:Syntax error while parsing|ERROR:)/, /^Error:/],
  health: 'show clock',
  renames: /^\s*(?:no\s+)?(?:hostname|switchname)\b/,
}

const arista_eos: CliPlatform = {
  name: 'arista_eos',
  levels: [CISCO_EXEC, CISCO_ENABLE, CISCO_CONFIG],
  prepare: ['terminal length 0', 'terminal width 32767'],
  pager: MORE,
  errors: CISCO_ERRORS,
  health: 'show clock',
  renames: /^\s*(?:no\s+)?hostname\b/,
}

const juniper_junos: CliPlatform = {
  name: 'juniper_junos',
  levels: [
    { name: 'exec', prompt: prompt('NAME>') },
    // A candidate of one's own: what others are preparing is neither committed nor thrown away with it.
    { name: 'config', prompt: prompt('NAME#'), enter: 'configure private', leave: 'exit configuration-mode' },
  ],
  // Otherwise words are completed as they are typed, and the echo is not what was sent.
  prepare: ['set cli complete-on-space off', 'set cli screen-length 0', 'set cli screen-width 511'],
  pager: MORE,
  errors: [/^\s*(?:syntax error|unknown command|missing argument|invalid (?:value|input)|error:|ambiguous)/i, /^\s*'.*' is ambiguous/],
  health: 'show system uptime',
  commit: { send: 'commit' },
  discard: ['rollback 0'],
  renames: /^\s*(?:set|delete)\s+system\s+host-name\b/,
  noise: /^(?:\[edit.*\]|\{[\w:]+\})$/,
}

const huawei_vrp: CliPlatform = {
  name: 'huawei_vrp',
  levels: [
    { name: 'exec', prompt: prompt('<NAME>') },
    // A star: there are changes that are not committed. A tilde: there are none. Neither: they are in force at once.
    { name: 'config', prompt: prompt('\\[[~*]?NAME\\]'), loose: true, enter: 'system-view', leave: 'return' },
  ],
  greetings: [{ expect: /\[Y\(?(?:es)?\)?\/N\(?o?\)?\]:?\s*$/i, send: 'N' }],
  prepare: ['screen-length 0 temporary'],
  elevate: { send: 'super', secret: /password:?\s*$/i },
  pager: MORE,
  errors: [/^\s*Error:/i, /^\s*(?:Unrecognized command|Incomplete command|Ambiguous command|Wrong parameter|Too many parameters)/i],
  health: 'display clock',
  commit: { send: 'commit', when: /^\[\*/ },
  discard: ['clear configuration candidate'],
  renames: /^\s*(?:undo\s+)?sysname\b/,
}

const h3c_comware: CliPlatform = {
  name: 'h3c_comware',
  levels: [
    { name: 'exec', prompt: prompt('<NAME>') },
    { name: 'config', prompt: prompt('\\[NAME\\]'), loose: true, enter: 'system-view', leave: 'return' },
  ],
  prepare: ['screen-length disable'],
  elevate: { send: 'super', secret: /password:?\s*$/i },
  pager: MORE,
  errors: [/^\s*% ?(?:Unrecognized|Incomplete|Ambiguous|Wrong|Too many|Permission|Invalid)/i],
  health: 'display clock',
  renames: /^\s*(?:undo\s+)?sysname\b/,
}

/** In any shell that knows POSIX: the user's own prompt may be anything, and change with the folder. */
const SHELL_PROMPT = {
  send: `PS2= PROMPT_COMMAND=; if [ "$(id -u)" = 0 ]; then PS1='wellpool# '; else PS1='wellpool$ '; fi`,
  base: 'wellpool',
}

const linux: CliPlatform = {
  name: 'linux',
  levels: [
    { name: 'exec', prompt: /^(?<base>.{0,200}?)\s?[$%>]$/, fixPrompt: SHELL_PROMPT },
    {
      name: 'enable',
      prompt: /^(?<base>.{0,200}?)\s?#$/,
      enter: 'sudo -i',
      secret: /password[^:]*:\s*$/i,
      leave: 'exit',
      fixPrompt: SHELL_PROMPT,
    },
  ],
  errors: [],
  health: ':',
}

/** The platforms that are known by name. `definePlatform({ ...platforms.cisco_iosxe, … })` makes another of one of them. */
export const platforms = { arista_eos, cisco_iosxe, cisco_iosxr, cisco_nxos, h3c_comware, huawei_vrp, juniper_junos, linux } as const

/** The name of a platform that is known. */
export type PlatformName = keyof typeof platforms
