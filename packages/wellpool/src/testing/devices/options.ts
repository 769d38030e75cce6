import type { DeviceCommand } from './cli.ts'
import type { DevicePlatform } from './platform.ts'

/** Somebody who may log in. */
export interface DeviceUser {
  readonly name: string
  readonly password?: string | undefined
  /** A public key as `authorized_keys` has it: `ssh-ed25519 AAAA…`. */
  readonly publicKey?: string | undefined
}

/** The ways to log in that a device may offer. */
export type DeviceAuthentication = 'none' | 'password' | 'publickey' | 'keyboard-interactive'

/**
 * What a device does with one session too many: it ends the connection with SSH's own reason (`disconnect`), says so
 * in the shell and closes it (`text`), opens no channel (`channel`), or closes the socket without a word (`close`).
 */
export type DeviceFull = 'disconnect' | 'text' | 'channel' | 'close'

/** How a device is set up. */
export interface DeviceOptions {
  readonly platform: DevicePlatform
  /** Default: `router` and a number. */
  readonly hostname?: string | undefined
  /** Default: one, `admin` with the password `admin`. */
  readonly users?: readonly DeviceUser[] | undefined
  /** What `enable`, `super` and `sudo` ask for. Default: they ask for nothing. */
  readonly enableSecret?: string | undefined
  /** How many sessions it allows at the same time. Default: any number. */
  readonly sessionLimit?: number | undefined
  /** What it does with one more. Default `disconnect`. */
  readonly whenFull?: DeviceFull | undefined
  /** How many channels a connection may have at the same time. Default: one where the platform has one, otherwise any number. */
  readonly channelLimit?: number | undefined
  /** Whether a connection ends with its first channel. Default: as the platform has it. */
  readonly oneChannel?: boolean | undefined
  /** Whether it runs commands over exec channels. Default: as the platform has it. */
  readonly execAllowed?: boolean | undefined
  /** Whether it lets through to other hosts, as a jump host does. Default false. */
  readonly forwarding?: boolean | undefined
  /** What it knows beside the platform's own commands: what it answers, or a function that is asked. Not in the config level. */
  readonly commands?: Readonly<Record<string, DeviceCommand>> | undefined
  /** The running configuration. Default: a few lines. */
  readonly config?: readonly string[] | undefined
  /** Lines for each page of a long answer; 0: no paging. Default: as the platform has it. */
  readonly pageLength?: number | undefined
  /** The most characters that it writes in one packet: prompts break over several. Default: all at once. */
  readonly packetSize?: number | undefined
  /** How long it waits before each packet but the first, ms. Default 0. */
  readonly outputDelay?: number | undefined
  /** Sent before the log-in. Default: none. */
  readonly banner?: string | undefined
  /** Said in the shell before the first prompt. Default: none. */
  readonly motd?: string | undefined
  /** Default `['password', 'publickey']`. */
  readonly authentication?: readonly DeviceAuthentication[] | undefined
  /** What it asks when it logs in by questions, and the answers that it wants. Default: the password. */
  readonly questions?: readonly { readonly prompt: string; readonly answer: string; readonly echo?: boolean }[] | undefined
  /** The algorithms that it has, for one that is old: by kind, as ssh2 names them. Default: ssh2's. */
  readonly algorithms?:
    | { readonly kex?: readonly string[]; readonly cipher?: readonly string[]; readonly hmac?: readonly string[] }
    | undefined
  /** Its host keys: `ed25519`, `ecdsa`, `rsa`. Each device makes its own. Default `['ed25519']`. */
  readonly hostKeys?: readonly DeviceKeyType[] | undefined
  /** The port of 127.0.0.1. Default: a free one. */
  readonly port?: number | undefined
}

export type DeviceKeyType = 'ed25519' | 'ecdsa' | 'rsa'
