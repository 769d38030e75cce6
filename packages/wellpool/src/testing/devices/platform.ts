/** The kinds of devices that can be simulated. */
export type DevicePlatform =
  | 'arista_eos'
  | 'cisco_iosxe'
  | 'cisco_iosxr'
  | 'cisco_nxos'
  | 'h3c_comware'
  | 'huawei_vrp'
  | 'juniper_junos'
  | 'linux'

/** How far somebody who is logged in may go. */
export type DeviceLevel = 'exec' | 'enable' | 'config'

/** What a prompt is made of. */
export interface PromptParts {
  readonly hostname: string
  readonly user: string
  readonly level: DeviceLevel
  /** The part of the configuration that one is in: `if`, `GigabitEthernet0/0/1`, `edit interfaces`; empty at the top. */
  readonly mode: string
  /** Whether there are changes that have not been committed. */
  readonly changed: boolean
}

/** What a device says, line by line. */
export type Lines = readonly string[]

/** What a rule may do: the CLI of one session. What says nothing by itself returns no lines. */
export interface CliHands {
  readonly level: DeviceLevel
  readonly mode: string
  readonly changed: boolean
  /** The lines of the running configuration. */
  readonly running: Lines
  readonly hasSecret: boolean
  /** Whether this is the device's enable secret. */
  isSecret(answer: string): boolean
  /** Goes to another level, or to another part of the configuration. */
  go(level: DeviceLevel, mode?: string): Lines
  /** Lines for each page; 0: no paging. */
  page(lines: number): Lines
  /** Asks, and goes on with what is answered. */
  ask(question: string, hidden: boolean, answered: (answer: string) => Lines): Lines
  /** Takes a line of configuration: at once, or with the next commit. */
  configure(line: string): Lines
  commit(): Lines
  rollback(): Lines
  /** Names the device, now or with the next commit. */
  rename(hostname: string): Lines
  /** Gives the present level another prompt, until one comes here anew. */
  setPrompt(prompt: string): Lines
  /** Ends the session. */
  leave(): Lines
}

/** A command that a kind of device knows. */
export interface DeviceRule {
  readonly levels: readonly DeviceLevel[]
  /** Matches the whole command. */
  readonly command: RegExp
  /** What the device does, and what it says to it. */
  readonly run: (cli: CliHands, ...groups: string[]) => Lines
}

/** A kind of device: how it looks and what it knows. What makers have in common is in `common-rules.ts`. */
export interface DeviceKind {
  readonly loginLevel: DeviceLevel
  readonly prompt: (parts: PromptParts) => string
  readonly rules: readonly DeviceRule[]
  /** What is said of a command that nobody knows; `column` is where the first word stands on the line. */
  readonly unknown: (command: string, column: number) => readonly string[]
  /** What is shown when a page is full, and what wipes it out again. */
  readonly pager: { readonly text: string; readonly wipe: string }
  /** Lines for each page unless somebody has said otherwise. */
  readonly pageLength: number
  /** Whether there are exec channels. */
  readonly exec: boolean
  /** Whether the connection ends with its first channel. */
  readonly oneChannel: boolean
  /** Whether changes of the configuration wait for a commit. */
  readonly commits: boolean
  /** What is said when all sessions are taken. */
  readonly full: string
}
