import type { Logger as Pino } from 'pino'
import { createPools, type Pools } from 'wellpool'
import { type AgentHooks, type ExecuteRequest, poolOf, type ReloadReport } from '../api/context.ts'
import { ApiProblem } from '../api/problem.ts'
import type { AgentConfig, PoolConfig } from '../config/config.ts'
import { type LoadOptions, loadConfig } from '../config/load.ts'
import { execute } from '../execute/execute.ts'
import { listensOnLoopback } from '../security/loopback.ts'
import { readTokens } from '../security/token-file.ts'
import { WellpoolServer } from '../server.ts'
import { completeOptions, planReload } from './plan.ts'

/** How to start an agent. */
export interface AgentOptions extends Pick<LoadOptions, 'env'> {
  /** The configuration file. */
  readonly file: string
  /** Where it writes what it and its pools do. Its level is the one of the file. */
  readonly logger: Pino
}

/** Holds the pools of a file and serves the API. Make it with {@link startAgent}. */
export class Agent {
  readonly #options: AgentOptions
  readonly #server: WellpoolServer
  readonly pools: Pools
  /** Pools that were removed or replaced, as long as somebody has a lease of theirs. */
  readonly #draining = new Set<Promise<void>>()
  #config: AgentConfig
  #loadedAt = Date.now()
  /** One reload at a time: the next waits. */
  #reloading: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | undefined

  /** Use {@link startAgent}. @internal */
  constructor(options: AgentOptions, config: AgentConfig) {
    this.#options = options
    this.#config = config
    options.logger.level = config.logLevel
    this.pools = createPools({})
    for (const pool of config.pools.values()) this.#add(pool)
    const { tokensFile, ...server } = config.server
    this.#server = new WellpoolServer(this.pools, { ...server, tokens: tokensFile, logger: options.logger }, this.#hooks())
  }

  /** Begins to listen and to connect. A peer that can't be reached keeps nothing from starting. */
  async start(): Promise<string> {
    const { host, port, tokensFile } = this.#config.server
    const address = await this.#server.listen({ host, port }).catch((error: Error) => {
      throw new Error(`server.host ${host}, server.port ${port}: ${error.message}`, { cause: error })
    })
    const { logger } = this.#options
    if (this.#config.server.tls === undefined && !listensOnLoopback(host)) {
      logger.warn({ address }, 'tokens cross the network as plain text: set server.tls, or put a proxy with TLS in front')
    }
    if (tokensFile !== undefined && readTokens(tokensFile).length === 0) {
      logger.warn({ file: tokensFile }, "there are no tokens yet, so nobody is let in: make one with 'wellpool token create'")
    }
    this.pools.start().catch((error: unknown) => logger.warn({ err: error }, 'not all pools have reached min_connections yet'))
    logger.info({ address, pools: this.pools.names() }, 'listening')
    return address
  }

  /**
   * Reads the file again, and applies what has changed: pools are added, drained and removed, replaced where their
   * driver's options have changed, and given their new options, without losing a lease.
   *
   * @param dryRun only says what would be done
   * @throws ConfigFileError when the file is wrong; nothing has changed then
   */
  reload(dryRun = false): Promise<ReloadReport> {
    const reload = this.#reloading.then(() => this.#reload(dryRun))
    this.#reloading = reload.catch(() => {})
    return reload
  }

  /** Serves those who wait, lets leases end, for as long as the file says, and stops. A second call cuts it short. */
  stop(): Promise<void> {
    if (this.#stopping !== undefined) {
      void this.pools.close({ timeout: 0 })
      return this.#stopping
    }
    this.#stopping = this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const { logger } = this.#options
    logger.info({ drainTimeoutMs: this.#config.drainTimeoutMs }, 'draining')
    await Promise.allSettled([this.pools.drain({ timeout: this.#config.drainTimeoutMs }), ...this.#draining])
    await this.#server.close()
    logger.info({}, 'stopped')
  }

  async #reload(dryRun: boolean): Promise<ReloadReport> {
    const { file, env, logger } = this.#options
    const next = await loadConfig(file, { env, tryFiles: true })
    const plan = planReload(this.#config, next)
    if (dryRun) return { applied: false, ...plan }
    if (this.#stopping !== undefined) throw new ApiProblem('NOT_AN_AGENT', 'the agent is stopping')
    const { drainTimeoutMs } = next
    for (const name of [...plan.removed, ...plan.replaced]) this.#remove(name, drainTimeoutMs)
    for (const name of [...plan.added, ...plan.replaced]) this.#add(next.pools.get(name) as PoolConfig)
    for (const name of plan.reconfigured) this.pools.get(name)?.reconfigure(completeOptions(next.pools.get(name)?.options ?? {}))
    this.#server.parts.observation.look()
    this.#renewCertificate()
    logger.level = next.logLevel
    // What the server was made with holds until a restart, and is compared with the next file.
    this.#config = { ...next, server: this.#config.server }
    this.#loadedAt = Date.now()
    logger.info(plan, 'reloaded')
    return { applied: true, ...plan }
  }

  #add({ name, driver, options }: PoolConfig): void {
    // Options of the file are given as a whole at each reload; what the pool is made with stays beneath them.
    this.pools.add(name, driver, { logger: this.#options.logger }).reconfigure(completeOptions(options))
  }

  #remove(name: string, timeout: number): void {
    const draining = this.pools
      .remove(name, { timeout })
      .catch((error: unknown) => this.#options.logger.error({ err: error, pool: name }, 'draining failed'))
    this.#draining.add(draining)
    void draining.finally(() => this.#draining.delete(draining))
  }

  #renewCertificate(): void {
    try {
      this.#server.renewCertificate()
    } catch (error) {
      this.#options.logger.error({ err: error }, 'the certificate cannot be renewed; the old one stays')
    }
  }

  #hooks(): AgentHooks {
    return {
      file: this.#config.file,
      configuration: () => ({ content: this.#config.shown, loadedAt: this.#loadedAt }),
      reload: (dryRun) => this.reload(dryRun),
      execute: async (name: string, request: ExecuteRequest, signal: AbortSignal) => {
        const config = this.#config.pools.get(name)
        if (config === undefined) throw new ApiProblem('POOL_NOT_FOUND', `there is no pool '${name}'`)
        return execute(poolOf({ pools: this.pools }, name), config, request, signal)
      },
    }
  }
}

/**
 * Starts an agent: reads the file, makes its pools, and serves the API.
 *
 * @returns the agent, and where it listens
 * @throws ConfigFileError when the file is wrong, or names others that can't be used; errors of the system
 */
export async function startAgent(options: AgentOptions): Promise<{ agent: Agent; address: string }> {
  const agent = new Agent(options, await loadConfig(options.file, { env: options.env, tryFiles: true }))
  try {
    return { agent, address: await agent.start() }
  } catch (error) {
    await agent.stop()
    throw error
  }
}
