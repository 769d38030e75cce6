import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:tls'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyPluginAsync, LogController } from 'fastify'
import { ConfigError, type Pools } from 'wellpool'
import { api, BODY_LIMIT, prepare, protect } from './api/api.ts'
import { answerClientError, noteAnswer } from './api/client-error.ts'
import type { AgentHooks, ApiContext } from './api/context.ts'
import { answerProblem } from './api/problem.ts'
import { healthRoutes, metricsRoute } from './api/public-routes.ts'
import { findDashboard, serveDashboard } from './dashboard.ts'
import { Observation, type ObservationOptions } from './observation.ts'
import { AuditLog } from './security/audit-log.ts'
import { Authenticator } from './security/authenticator.ts'
import { SECURITY_HEADERS } from './security/headers.ts'
import { openToAll } from './security/loopback.ts'
import type { Identity } from './security/roles.ts'
import { TokenFileSource } from './security/token-file.ts'
import type { TokenRecord } from './security/tokens.ts'

/** Who may use the API, and what is recorded. */
export interface ApiOptions extends ObservationOptions {
  /**
   * The tokens of those who may use it: records, or a file that `wellpool token create` writes, which is read again
   * when it changes. Default: none are needed, and this machine alone is answered.
   */
  readonly tokens?: readonly TokenRecord[] | string | undefined
  /** The file to which every change is appended. Default: the latest are remembered, and none is written. */
  readonly auditLog?: string | undefined
  /** Whether the dashboard is served if `@wellpool/dashboard` is installed, or the folder of another one. Default true. */
  readonly dashboard?: boolean | string | undefined
}

/** How to make a server. */
export interface ServerOptions extends ApiOptions {
  /** Where it writes what it does: pino, or what is like it. Default: nowhere. */
  readonly logger?: FastifyBaseLogger | undefined
  /** Files with a certificate and its key, in PEM. Default: HTTP. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined
}

/** Where to listen. */
export interface ListenOptions {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined
  /** 0: any free one. Default 7710. */
  readonly port?: number | undefined
}

/** What the API of a set of pools is made of. */
export class ApiParts {
  readonly context: ApiContext
  readonly observation: Observation
  readonly #authenticator: Authenticator
  readonly #dashboard: string | undefined

  constructor(pools: Pools, options: ApiOptions, agent: AgentHooks | undefined, report: (error: unknown) => void) {
    const audit = new AuditLog(options.auditLog)
    this.#authenticator = new Authenticator(tokensOf(options.tokens, report))
    const { dashboard = true } = options
    this.#dashboard = dashboard === true ? findDashboard() : dashboard === false ? undefined : dashboard
    this.observation = new Observation(pools, options)
    const { feed, history, stream, timeline, jobs } = this.observation
    const authenticator = this.#authenticator
    const stillValid = (identity: Identity): boolean => authenticator.stillValid(identity)
    this.context = { pools, feed, history, stream, timeline, jobs, audit, agent, tokensNeeded: authenticator.tokensNeeded, stillValid }
  }

  get hasDashboard(): boolean {
    return this.#dashboard !== undefined
  }

  get plugin(): FastifyPluginAsync {
    return async (app) => {
      prepare(app)
      healthRoutes(app, this.context.pools)
      await app.register(async (inner) => {
        protect(inner, this.context, this.#authenticator)
        metricsRoute(inner, this.observation.registry)
      })
      await app.register(api(this.context, this.#authenticator), { prefix: '/api/v1' })
      if (this.#dashboard !== undefined) await serveDashboard(app, this.#dashboard)
      app.addHook('preClose', async () => this.context.stream.close())
      app.addHook('onClose', async () => this.close())
    }
  }

  close(): void {
    this.observation.close()
    this.context.audit.close()
  }
}

/**
 * A Fastify plugin with the API (under `/api/v1`), the page for Prometheus (`/metrics`), probes (`/healthz`, `/readyz`)
 * and the dashboard of a set of pools. Mount it wherever you like; it ends with your server, and leaves the pools alone.
 *
 * Without `tokens` only this machine is answered, and nothing that a proxy has passed on.
 *
 * @throws Error when the file of tokens can't be read or the audit log can't be appended to
 * @example
 * await app.register(attach(pools, { tokens: '/etc/shop/wellpool-tokens.json' }), { prefix: '/wellpool' })
 */
export function attach(pools: Pools, options: ApiOptions = {}): FastifyPluginAsync {
  return async (app) => {
    const parts = new ApiParts(pools, options, undefined, (error) => app.log.error({ err: error }, 'the file of tokens cannot be read'))
    await app.register(parts.plugin)
  }
}

/** A server with the API of a set of pools. Make it with {@link createServer}. */
export class WellpoolServer {
  readonly #app: FastifyInstance
  readonly #options: ServerOptions
  readonly parts: ApiParts

  /** Use {@link createServer}. @internal */
  constructor(pools: Pools, options: ServerOptions, agent?: AgentHooks) {
    this.#options = options
    this.#app = createApp(options)
    this.parts = new ApiParts(pools, options, agent, (error) => this.#app.log.error({ err: error }, 'the file of tokens cannot be read'))
    void this.#app.register(this.parts.plugin)
  }

  /** Whether the dashboard is served at `/`: it is wanted, installed and built. */
  get hasDashboard(): boolean {
    return this.parts.hasDashboard
  }

  /** For a server of Node's own, or a framework on it: `http.createServer(server.handler)`. Without TLS only. */
  get handler(): (request: IncomingMessage, response: ServerResponse) => void {
    const ready = this.#app.ready()
    return (request, response) => {
      ready.then(
        () => this.#app.routing(request, response),
        () => response.destroy(),
      )
    }
  }

  /**
   * Begins to listen.
   *
   * @returns the address: `http://127.0.0.1:7710`
   * @throws INVALID_CONFIG beyond loopback without tokens; the error of the system when the address is taken
   */
  async listen({ host = '127.0.0.1', port = 7710 }: ListenOptions = {}): Promise<string> {
    const problem = this.parts.context.tokensNeeded ? undefined : openToAll(host, 'tokens')
    if (problem !== undefined) throw new ConfigError([{ path: 'host', ...problem }])
    return this.#app.listen({ host, port })
  }

  /** Reads the certificate and its key again; connections from then on get them. @throws when they don't fit */
  renewCertificate(): void {
    const { tls } = this.#options
    if (tls !== undefined) (this.#app.server as unknown as TlsServer).setSecureContext(readTls(tls))
  }

  /**
   * Stops listening, and ends streams and jobs. Requests under way have a second to end, and are hung up on then. The
   * pools stay as they are.
   */
  async close(): Promise<void> {
    // Browsers open connections in advance and say nothing over them: to Node these are not idle.
    const limit = setTimeout(() => this.#app.server.closeAllConnections(), CLOSE_LIMIT)
    try {
      await this.#app.close()
    } finally {
      clearTimeout(limit)
    }
  }
}

/**
 * Makes a server for a set of pools: the API, the page for Prometheus, probes and the dashboard. It listens on
 * 127.0.0.1 unless told otherwise, and nowhere else without tokens.
 *
 * @throws Error when a file can't be read, or the audit log can't be appended to
 * @example
 * const server = createServer(pools)
 * console.log(await server.listen())
 */
export function createServer(pools: Pools, options: ServerOptions = {}): WellpoolServer {
  return new WellpoolServer(pools, options)
}

/** A client that is slow to ask is hung up on; what is slow to be answered is not. */
const LIMITS = {
  requestTimeout: 15_000,
  keepAliveTimeout: 10_000,
  headersTimeout: 10_000,
  handshakeTimeout: 10_000,
  checkEvery: 2_000,
  maxConnections: 2_000,
}

/** How long requests under way may keep a server from closing, ms. */
const CLOSE_LIMIT = 1_000

function createApp({ logger, tls }: ServerOptions): FastifyInstance {
  const app = Fastify({
    ...(logger === undefined
      ? { logger: false }
      : { loggerInstance: logger, logController: new LogController({ disableRequestLogging: true }) }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: LIMITS.requestTimeout,
    keepAliveTimeout: LIMITS.keepAliveTimeout,
    forceCloseConnections: 'idle',
    // A hook does that, with a problem.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 250 },
    clientErrorHandler: answerClientError,
    // What no route is looked for: no hook has run.
    frameworkErrors: (error, request, reply) => answerProblem(error, request, reply.headers(SECURITY_HEADERS)),
    [tls === undefined ? 'http' : 'https']: {
      headersTimeout: LIMITS.headersTimeout,
      connectionsCheckingInterval: LIMITS.checkEvery,
      ...(tls !== undefined && { ...readTls(tls), handshakeTimeout: LIMITS.handshakeTimeout }),
    },
  }) as FastifyInstance
  app.server.maxConnections = LIMITS.maxConnections
  app.server.on('request', noteAnswer)
  return app
}

function readTls({ certFile, keyFile }: NonNullable<ServerOptions['tls']>): { cert: string; key: string; minVersion: 'TLSv1.2' } {
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), minVersion: 'TLSv1.2' }
}

function tokensOf(tokens: ApiOptions['tokens'], report: (error: unknown) => void): (() => readonly TokenRecord[]) | undefined {
  if (tokens === undefined) return undefined
  if (typeof tokens !== 'string') return () => tokens
  const source = new TokenFileSource(tokens, report)
  return () => source.get()
}
