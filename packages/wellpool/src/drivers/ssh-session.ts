import type ssh2 from 'ssh2'
import type { Cli } from './ssh-cli.ts'
import type { CliOptions } from './ssh-cli-options.ts'
import type { RunOptions, RunResult } from './ssh-exec.ts'
import type { SessionKeeper } from './ssh-keeper.ts'

/** A session with a host or a device: what a pool of the SSH driver lends. */
export class SshSession {
  readonly #keeper: SessionKeeper

  /** Made by the driver. */
  constructor(keeper: SessionKeeper) {
    this.#keeper = keeper
  }

  /**
   * The client of ssh2 beneath, for what this class does not have: SFTP, forwarding. Channels that are still open when
   * the session is given back are closed; ports that the peer forwards to it cost the session.
   */
  get client(): ssh2.Client {
    return this.#keeper.link.client
  }

  /**
   * Runs a command over a channel of its own, and resolves when it has ended, whatever its exit code. Several may run
   * at the same time, as far as the peer allows.
   *
   * @throws SshError SSH_TIMEOUT, SSH_OUTPUT_LIMIT, SSH_EXEC_REFUSED, SSH_NO_SESSIONS, SSH_CONNECTION_LOST; the reason
   *   of the signal when that is aborted
   * @throws TypeError when an option is wrong
   */
  run(command: string, options: RunOptions = {}): Promise<RunResult> {
    return this.#keeper.run(command, options)
  }

  /**
   * Opens a CLI over a channel of its own. Whoever opens it may close it; giving the session back does so too.
   *
   * @throws ConfigError when options are wrong
   * @throws SshError CLI_NO_PROMPT, CLI_SECRET, SSH_SHELL_REFUSED, SSH_NO_SESSIONS, SSH_CONNECTION_LOST; the reason of
   *   the signal when that is aborted
   */
  openCli(options: CliOptions, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Cli> {
    return this.#keeper.openCli(options, signal)
  }
}

/** A session that keeps a CLI open over all its leases. */
export class SshCliSession extends SshSession {
  /** Open, at its prompt, in the level of the option `cli`. It must not be closed: its session is lost with it. */
  readonly cli: Cli

  /** Made by the driver. */
  constructor(keeper: SessionKeeper, cli: Cli) {
    super(keeper)
    this.cli = cli
  }
}
