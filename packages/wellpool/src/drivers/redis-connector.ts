import { isIP, type Socket } from 'node:net'
import { createClient, type RedisClientOptions } from 'redis'
import type { Duration } from '../engine/duration.ts'
import { ConfigError } from '../engine/errors.ts'
import { abortable } from '../shared/abortable.ts'
import { ConnectErrors } from '../shared/connect-errors.ts'
import { defined, toMs } from '../shared/option-rules.ts'
import { askForPassword } from '../shared/password.ts'
import { Secrets } from '../shared/secrets.ts'
import {
  findMissingPassword,
  type RedisBaseOptions,
  type RedisOptions,
  type ResolvedRedisOptions,
  resolveRedisOptions,
} from './redis-options.ts'
import { RedisSession, type SessionOptions } from './redis-session.ts'
import { connectSocket, seeSocket } from './redis-socket.ts'
import type { RedisClientLike } from './redis-wire.ts'

/** What changes from one connection to the next. */
interface Changing {
  readonly socket: object
  readonly credentialsProvider: { readonly type: string; readonly credentials: () => Promise<object> }
}

/** Makes the sessions of one driver. */
export class RedisConnector<Client extends RedisClientLike> {
  readonly #options: ResolvedRedisOptions<Client>
  readonly #session: SessionOptions<Client>
  readonly #secrets: Secrets
  readonly #errors = new ConnectErrors()
  /** Never connected: all clients are copies of it. To make one from options takes node-redis a hundred times as long. */
  readonly #model: Client

  /** @throws ConfigError */
  constructor(options: RedisOptions<Client>) {
    this.#options = resolveRedisOptions(options)
    const { password, tls, database = 0, onConnect, secondOpinion = true } = this.#options
    this.#session = { database, onConnect, identified: secondOpinion }
    const { key = [], passphrase } = typeof tls === 'object' ? tls : {}
    this.#secrets = new Secrets([password, passphrase, ...[key].flat().flatMap(textsOf)])
    this.#model = createModel(this.#options)
  }

  /** How many borrowers share a client. */
  get maxLeases(): number {
    return this.#options.maxLeasesPerConnection ?? 1
  }

  /** Every password that was used lately, and the key of TLS. */
  get secrets(): readonly string[] {
    return this.#secrets.all
  }

  /** A session that is logged in and set up. When it rejects, its socket is closed. */
  async connect(signal: AbortSignal): Promise<RedisSession<Client>> {
    signal.throwIfAborted()
    let session: RedisSession<Client> | undefined
    try {
      session = await this.#createSession(signal)
      await abortable(session.open(signal), signal)
      return session
    } catch (error) {
      session?.destroy()
      this.#errors.add(error)
      throw error
    }
  }

  /** Whether a connect failed with this very error. */
  hasThrown(error: unknown): boolean {
    return this.#errors.has(error)
  }

  async #createSession(signal: AbortSignal): Promise<RedisSession<Client>> {
    let password = await this.#ask(signal)
    const lower = await this.#connectLower(signal)
    const life = new AbortController()
    const closeSocket = (): void => {
      life.abort()
      lower?.destroy()
    }
    const client = this.#copyModel(() => password, life.signal, lower)
    const connect = (): { done: Promise<unknown>; socket: Socket | undefined } => {
      const { result, socket } = seeSocket(() => client.connect())
      return { done: result, socket: lower ?? socket }
    }
    const askAgain = async (): Promise<void> => {
      password = await this.#ask(life.signal)
    }
    return new RedisSession({ client, connect, closeSocket, askAgain }, this.#session)
  }

  async #ask(signal: AbortSignal): Promise<string | undefined> {
    const password = await askForPassword(this.#options.password, signal)
    if (password !== undefined) this.#secrets.add(password)
    const problems = findMissingPassword({ username: this.#options.username, password })
    if (problems.length > 0) throw new ConfigError(problems)
    return password
  }

  /** Below TLS a socket of our own: what comes in over TLS can't be seen otherwise, nor be closed while it connects. */
  async #connectLower(signal: AbortSignal): Promise<Socket | undefined> {
    const { tls = false, host = 'localhost', port = 6379 } = this.#options
    return tls === false ? undefined : connectSocket({ host, port, noDelay: true, ...keepAlive(this.#options) }, signal)
  }

  #copyModel(password: () => string | undefined, signal: AbortSignal, lower: Socket | undefined): Client {
    const { username } = this.#options
    const changing: Changing = {
      socket: { ...optionsOf(this.#model)?.socket, signal, ...(lower === undefined ? {} : { socket: lower }) },
      // Asked at each log-in: at the connect and after each reset.
      credentialsProvider: {
        type: 'async-credentials-provider',
        credentials: async () => defined({ username, password: password() }),
      },
    }
    const client = (this.#model as unknown as { duplicate(changing: Changing): Client }).duplicate(changing)
    // It has a copy of them. What an application duplicates from it has a socket and a life of its own.
    Object.assign(changing.socket, { signal: undefined, socket: undefined })
    return client
  }
}

/**
 * @throws ConfigError when the function of the options makes a client that does not do as it was told: one that connects
 *   by itself would hide what the pool is there to see.
 */
function createModel<Client extends RedisClientLike>(options: ResolvedRedisOptions<Client>): Client {
  const { host = 'localhost', port = 6379, path, database, name = 'wellpool', tls = false } = options
  const target = path === undefined ? { host, port } : { path }
  // Node asks for the certificate of this name only if it is told to.
  const asked = isIP(host) === 0 ? { servername: host } : {}
  const secure = tls === false ? { tls: false } : { ...asked, ...(tls === true ? {} : tls), tls: true }
  const base = {
    // How long a connect may take, and what follows the end of one, is the pool's affair.
    socket: { ...target, ...secure, ...keepAlive(options), reconnectStrategy: false, connectTimeout: 0 },
    ...defined({ database }),
    name,
    disableOfflineQueue: true,
    // It would put another connection into the place of this one by itself.
    maintNotifications: 'disabled',
  } as RedisBaseOptions
  const create = options.createClient ?? ((given) => createClient(given as RedisClientOptions) as unknown as Client)
  const model = create(base)
  const { socket, disableOfflineQueue } = optionsOf(model) ?? {}
  const isFit = socket?.reconnectStrategy === false && socket.connectTimeout === 0 && disableOfflineQueue === true && !model.isOpen
  if (!isFit) {
    const allowed = '(options) => createClient({ ...options, … }), which hands on what it is given and does not connect'
    throw new ConfigError([{ path: 'createClient', given: 'a function that makes another client', allowed }])
  }
  forget(model)
  return model
}

/** It is no connection, and is to be counted as none. */
function forget(model: RedisClientLike): void {
  try {
    model.destroy()
  } catch {
    // Of version 5, which counts none that was not connected.
  }
}

function optionsOf(client: RedisClientLike): RedisBaseOptions | undefined {
  return (client as unknown as { options?: RedisBaseOptions } | undefined)?.options
}

function keepAlive({ keepAliveDelay = '30s' }: { keepAliveDelay?: Duration | undefined }): {
  keepAlive: true
  keepAliveInitialDelay: number
} {
  return { keepAlive: true, keepAliveInitialDelay: toMs(keepAliveDelay) ?? 0 }
}

/** All texts of a key of TLS, whatever form it has. */
function textsOf(key: unknown): string[] {
  if (typeof key === 'string' || Buffer.isBuffer(key)) return [String(key)]
  const { pem, passphrase } = (key ?? {}) as { pem?: unknown; passphrase?: unknown }
  return [pem, passphrase].filter((text) => text !== undefined).map(String)
}
