import type { Driver } from '../engine/driver.ts'
import { abortable } from '../shared/abortable.ts'
import type { CliOptions } from './ssh-cli-options.ts'
import { SshConnector } from './ssh-connector.ts'
import { classifySshError } from './ssh-errors.ts'
import type { SshOptions } from './ssh-options.ts'
import type { SshCliSession, SshSession } from './ssh-session.ts'

export type { PasswordContext } from '../shared/password.ts'
export type { SshAlgorithms } from './ssh-algorithms.ts'
export type { Cli, InteractStep, SendOptions } from './ssh-cli.ts'
export type { CliOptions } from './ssh-cli-options.ts'
export type { CliCallOptions } from './ssh-cli-turns.ts'
export { CliCommandError, SSH_ERROR_CODES, SshError, type SshErrorCode } from './ssh-errors.ts'
export type { RunOptions, RunResult } from './ssh-exec.ts'
export type { HostKey, HostKeyPolicy } from './ssh-host-keys.ts'
export type { KeyboardContext, KeyboardQuestion, SshHostOptions, SshOptions } from './ssh-options.ts'
export { type CliLevel, type CliPlatform, definePlatform } from './ssh-platform.ts'
export { type PlatformName, platforms } from './ssh-platforms.ts'
export type { SshCliSession, SshSession } from './ssh-session.ts'
export type { JumpLease, JumpPool } from './ssh-way.ts'

/**
 * The driver for SSH, on the package `ssh2` (1.15 or later), which the application installs: hosts that run commands,
 * and network devices with a CLI. A pool's client is an {@link SshSession}; with the option `cli` it is an
 * {@link SshCliSession}, whose CLI is open and stays so over all leases.
 *
 * - `connect`: a socket, or a way over jump hosts; the host key is checked, then the user logs in, then the CLI is
 *   opened if there is to be one. An abort closes everything at once, on every host of the way. Credentials and host
 *   keys that are refused, and algorithms that don't fit, are `fatal`; a device without a free session is not.
 * - `check`: a round trip in the session: the CLI's health command, or `healthCommand` over an exec channel.
 * - `reset`: nothing is sent when nothing is left to do. Channels that are still open are closed; the CLI goes back to
 *   the level in which it was opened, and changes that were not committed are thrown away. A CLI that has lost step
 *   with its device, or was left in the middle of a dialog, costs the connection.
 * - `watch`: reports the end of the connection, of the CLI that is kept, and of a way over jump hosts, as they happen;
 *   and a peer that leaves `keepalive` unanswered.
 * - `close`: says goodbye to the peer, then to the jump hosts. `destroy`: closes the socket.
 * - `classify`: by the codes in {@link SSH_ERROR_CODES}; ssh2's own errors by what they say.
 *
 * Devices have few sessions, so a pool has at most two connections by default, opens none ahead, closes one before it
 * opens its successor (`rebuildMaxSurge: 0`), and replaces a session after 200 uses.
 *
 * @throws ConfigError when options are wrong: all that are, at once. No message ever shows a secret.
 * @example
 * const router = createPool(ssh({ host: 'router-17', username: 'ops', password, cli: { platform: 'cisco_iosxe' } }))
 * const version = await router.use((session) => session.cli.send('show version'))
 */
export function ssh(options: SshOptions & { cli: CliOptions }): Driver<SshCliSession>
export function ssh(options: SshOptions): Driver<SshSession>
export function ssh(options: SshOptions): Driver<SshSession> {
  const connector = new SshConnector(options)
  return {
    protocol: 'ssh',
    connect: ({ signal }) => connector.connect(signal),
    check: (session, { signal }) => abortable(connector.keeperOf(session).probe(), signal),
    reset: (session) => connector.keeperOf(session).reset(),
    watch: (session, watcher) => connector.keeperOf(session).watch(watcher),
    close: (session) => connector.keeperOf(session).close(),
    destroy: (session) => connector.keeperOf(session).destroy(),
    ref: (session) => connector.keeperOf(session).link.ref(),
    unref: (session) => connector.keeperOf(session).link.unref(),
    classify: (error) => classifySshError(error, connector.hasThrown(error)),
    secrets: () => connector.secrets,
    maxLeasesPerConnection: options.maxLeasesPerConnection ?? 1,
    defaults: { minConnections: 0, maxConnections: 2, rebuildMaxSurge: 0, maxUses: 200 },
  }
}
