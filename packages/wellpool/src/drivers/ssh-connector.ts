import { ConnectErrors } from '../shared/connect-errors.ts'
import { Secrets } from '../shared/secrets.ts'
import { type CliOptions, type ResolvedCliOptions, resolveCliOptions } from './ssh-cli-options.ts'
import { keepAlive } from './ssh-keepalive.ts'
import { SessionKeeper } from './ssh-keeper.ts'
import { SshLink } from './ssh-link.ts'
import { type ResolvedSshOptions, resolveSshOptions, type SshOptions, secretsOf } from './ssh-options.ts'
import { SshCliSession, SshSession } from './ssh-session.ts'

/** Makes the sessions of one driver. */
export class SshConnector {
  readonly #options: ResolvedSshOptions
  readonly #cli: ResolvedCliOptions | undefined
  readonly #secrets: Secrets
  readonly #errors = new ConnectErrors()
  readonly #keepers = new WeakMap<SshSession, SessionKeeper>()

  /** @throws ConfigError */
  constructor(options: SshOptions) {
    this.#options = resolveSshOptions(options)
    const cli: CliOptions | undefined = options.cli
    this.#cli = cli === undefined ? undefined : resolveCliOptions(cli)
    this.#secrets = new Secrets([...secretsOf(options), cli?.enableSecret])
  }

  /** Every password that was used lately, the keys, and what was typed hidden. */
  get secrets(): readonly string[] {
    return this.#secrets.all
  }

  /** A session that is logged in, with its CLI if it has one. When it rejects, nothing is left of it. */
  async connect(signal: AbortSignal): Promise<SshSession> {
    let link: SshLink | undefined
    try {
      link = await SshLink.open(this.#options.hop, this.#secrets, signal)
      const keeper = new SessionKeeper(link, this.#options, this.#secrets)
      const session = this.#cli === undefined ? new SshSession(keeper) : new SshCliSession(keeper, await keeper.keepCli(this.#cli, signal))
      this.#keepers.set(session, keeper)
      keepAlive(link, this.#options.keepaliveMs, this.#options.keepaliveMisses)
      return session
    } catch (error) {
      link?.destroy()
      this.#errors.add(error)
      throw error
    }
  }

  /** @throws TypeError when the session is another driver's */
  keeperOf(session: SshSession): SessionKeeper {
    const keeper = this.#keepers.get(session)
    if (keeper === undefined) throw new TypeError('this session was not made by this driver')
    return keeper
  }

  /** Whether a connect failed with this very error. */
  hasThrown(error: unknown): boolean {
    return this.#errors.has(error)
  }
}
