import type { Watcher } from '../engine/driver.ts'
import { formatMs } from '../engine/duration.ts'
import { ConfigError } from '../engine/errors.ts'
import type { Secrets } from '../shared/secrets.ts'
import { SshChannels } from './ssh-channels.ts'
import { Cli } from './ssh-cli.ts'
import { type OpenedCli, openCliChannel } from './ssh-cli-open.ts'
import { type CliOptions, findCliProblems, type ResolvedCliOptions, resolveCliOptions } from './ssh-cli-options.ts'
import { SshError } from './ssh-errors.ts'
import { collect, type RunOptions, type RunResult } from './ssh-exec.ts'
import { leftIn } from './ssh-internals.ts'
import { limited, timeoutOf } from './ssh-limit.ts'
import type { SshLink } from './ssh-link.ts'
import type { ResolvedSshOptions } from './ssh-options.ts'

/**
 * All that is done with one session, for its borrower and for the pool: commands and CLIs, checks, and what was left
 * behind in it.
 */
export class SessionKeeper {
  readonly link: SshLink
  readonly #options: ResolvedSshOptions
  readonly #secrets: Secrets
  readonly #channels: SshChannels
  #kept: (OpenedCli & { readonly cli: Cli }) | undefined
  #spoiled: Error | undefined
  #letGo = false
  #probe: Promise<void> | undefined

  constructor(link: SshLink, options: ResolvedSshOptions, secrets: Secrets) {
    this.link = link
    this.#options = options
    this.#secrets = secrets
    this.#channels = new SshChannels(link)
  }

  async run(command: string, { timeout, signal, input, maxOutput, encoding }: RunOptions): Promise<RunResult> {
    const ms = timeoutOf(timeout, this.#options.commandTimeoutMs)
    const { name } = this.link
    const late = (): SshError => {
      const shown = this.#secrets.all.reduce((masked, secret) => masked.replaceAll(secret, '***'), command)
      return new SshError('SSH_TIMEOUT', `${name}: "${shown}" did not end within ${formatMs(ms)}`)
    }
    return limited({ ms, signal, late }, async (inner) => {
      const channel = await this.#channels.exec(command, inner)
      const limits = { input, maxOutput: maxOutput ?? this.#options.maxOutput, encoding: encoding ?? 'utf8' }
      const result = await this.link.whileAlive(collect(channel, { ...limits, signal: inner, name }))
      if (leftIn(this.link.client).open.length === 0) this.link.noteLastChannel()
      return result
    })
  }

  async openCli(options: CliOptions, signal?: AbortSignal): Promise<Cli> {
    const problems = findCliProblems(options)
    if (problems.length > 0) throw new ConfigError(problems)
    return this.#makeCli(await this.#openChannel(resolveCliOptions(options), signal))
  }

  /** Opens the CLI that stays open over all leases. */
  async keepCli(options: ResolvedCliOptions, signal: AbortSignal): Promise<Cli> {
    const opened = await this.#openChannel(options, signal)
    const cli = this.#makeCli(opened)
    this.#kept = { ...opened, cli }
    return cli
  }

  watch(watcher: Watcher): void {
    const report = (error: unknown): void => {
      // Whoever spoils the session hears of it by the error of his call.
      if (!this.#letGo && this.#spoiled === undefined) watcher.lost(error)
    }
    this.link.onLost(report)
    this.#kept?.cli.onClosed(report)
  }

  /** A round trip in the session. Whoever gives it up leaves it on its way, and the next joins it. */
  probe(): Promise<void> {
    if (this.#spoiled !== undefined) return Promise.reject(this.#spoiled)
    if (this.#kept !== undefined) return this.#kept.cli.probe()
    this.#probe ??= this.#execHealth().finally(() => {
      this.#probe = undefined
    })
    return this.#probe
  }

  /** Undoes what a borrower has left. Returns nothing when there is nothing to do. */
  reset(): Promise<unknown> | undefined {
    if (this.#spoiled !== undefined) throw this.#spoiled
    const atBase = this.#kept?.cli.reset()
    const closed = this.#channels.closeAllBut(this.#kept?.dialog.stream.channel)
    return atBase === undefined && closed === undefined ? undefined : Promise.all([atBase, closed])
  }

  async close(): Promise<void> {
    this.#letGo = true
    await this.link.close()
  }

  destroy(): void {
    this.#letGo = true
    this.link.destroy()
  }

  #openChannel(options: ResolvedCliOptions, signal?: AbortSignal): Promise<OpenedCli> {
    const opening = openCliChannel({ channels: this.#channels, options, secrets: this.#secrets, link: this.link, signal })
    return this.link.whileAlive(opening)
  }

  #makeCli(opened: OpenedCli): Cli {
    return new Cli(opened, (error) => {
      this.#spoiled ??= error
    })
  }

  async #execHealth(): Promise<void> {
    try {
      const { signal } = new AbortController()
      const channel = await this.#channels.exec(this.#options.healthCommand, signal)
      const limits = { input: '', maxOutput: this.#options.maxOutput, encoding: 'utf8' } as const
      await this.link.whileAlive(collect(channel, { ...limits, signal, name: this.link.name }))
      this.link.noteLastChannel()
    } catch (error) {
      // It has opened a channel and has answered that it runs nothing there: it lives.
      if (this.link.lost === undefined && error instanceof SshError && error.code === 'SSH_EXEC_REFUSED') return
      throw error
    }
  }
}
