import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import ssh2 from 'ssh2'
import { DeviceConnection } from './connection.ts'
import { type DeviceHostKey, makeHostKey } from './host-keys.ts'
import { DEVICE_KINDS } from './kinds.ts'
import { DeviceLogin } from './login.ts'
import { checkDeviceOptions, checkOutputOptions, checkRebootOptions, type DeviceOptions, type RebootOptions } from './options.ts'
import type { DevicePlatform } from './platform.ts'
import { DeviceState } from './state.ts'

/** One session of a device: a copy, taken when it was asked for. */
export interface DeviceSession {
  /** 1 for the first, +1 for each after it. */
  readonly id: number
  /** Empty until somebody has logged in. */
  readonly user: string
  /** Shells and commands that are open. */
  readonly channels: number
  /** Ways to other hosts that are open. */
  readonly tunnels: number
  /** The peer's own port. */
  readonly remotePort: number
}

/** A line that somebody typed at a device; a secret is `***`. */
export interface TypedLine {
  readonly session: number
  readonly line: string
}

/** ssh2's servers ask their clients for signs of life; a device that is silent must not. */
const NO_KEEPALIVE = { keepaliveInterval: 2 ** 31 - 1, keepaliveCountMax: 0 } as const

/** Below the ports that systems give to outgoing connections: a device that starts again must get its port again. */
const FIRST_PORT = 15_000
const LAST_PORT = 32_000
const CONFIG = [
  'service timestamps',
  'interface GigabitEthernet0/0',
  ' description uplink',
  'interface GigabitEthernet0/1',
  ' description spare',
]

let devices = 0

/**
 * A simulated network device: a real SSH server on 127.0.0.1, in this process, with the CLI of one of the platforms.
 * Made by {@link startDevice}. Who starts it closes it, or declares it with `await using`.
 */
export class Device {
  readonly host = '127.0.0.1'
  readonly platform: DevicePlatform
  readonly hostKeys: readonly DeviceHostKey[]
  readonly #options: DeviceOptions
  readonly #state: DeviceState
  readonly #login: DeviceLogin
  readonly #ssh: ssh2.Server
  readonly #sockets = new Map<Socket, DeviceConnection>()
  readonly #typed: TypedLine[] = []
  /** Accepted while the device hangs. */
  readonly #unanswered = new Set<Socket>()
  #server: Server | undefined
  #port = 0
  #lastSession = 0
  #mostSessions = 0
  #refused = 0
  #hangs = false
  /** The end of the reboot that was asked for last. */
  #rebooted = Promise.resolve()
  readonly #closing = new AbortController()
  readonly #output: { packetSize: number; delayMs: number }

  private constructor(options: DeviceOptions) {
    checkDeviceOptions(options)
    devices++
    const { platform, hostname = `router${devices}`, enableSecret, config = CONFIG, banner, hostKeys = ['ed25519'] } = options
    this.platform = platform
    this.hostKeys = hostKeys.map(makeHostKey)
    this.#options = options
    this.#state = new DeviceState(DEVICE_KINDS[platform], { hostname, enableSecret, config, refuseCommit: options.refuseCommit })
    this.#login = new DeviceLogin(options)
    this.#output = { packetSize: options.packetSize ?? Number.POSITIVE_INFINITY, delayMs: options.outputDelay ?? 0 }
    const algorithms = options.algorithms as ssh2.Algorithms | undefined
    const keys = this.hostKeys.map((key) => key.private)
    this.#ssh = new ssh2.Server(
      { hostKeys: keys, ...NO_KEEPALIVE, ...(banner === undefined ? {} : { banner }), ...(algorithms === undefined ? {} : { algorithms }) },
      (peer, { port }) => {
        // A peer that is gone is noticed by its socket.
        peer.on('error', () => {})
        this.#connectionFrom(port)?.serve(peer)
      },
    )
  }

  /** @see startDevice */
  static async start(options: DeviceOptions): Promise<Device> {
    const device = new Device(options)
    for (let tries = 0; device.#server === undefined; tries++) {
      const port = options.port ?? FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT))
      try {
        await device.#listen(port)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || options.port !== undefined || tries === 100) throw error
      }
    }
    return device
  }

  /** The same for as long as the device lives, over all reboots. */
  get port(): number {
    return this.#port
  }

  /** Its name, which its configuration may change. */
  get hostname(): string {
    return this.#state.hostname
  }

  /** The `SHA256:…` of its first host key. */
  get fingerprint(): `SHA256:${string}` {
    return (this.hostKeys[0] as DeviceHostKey).fingerprint
  }

  /** The lines of a `known_hosts` file for this device. */
  get knownHosts(): string {
    return this.hostKeys.map(({ line }) => `[${this.host}]:${this.#port} ${line}\n`).join('')
  }

  /** The lines of the running configuration. */
  get config(): readonly string[] {
    return this.#state.running
  }

  /** The sessions that are open now, those that are still logging in included. */
  get sessions(): DeviceSession[] {
    return [...this.#sockets.values()].map(({ id, user, channels, tunnels, remotePort }) => ({ id, user, channels, tunnels, remotePort }))
  }

  /** The most sessions that there were at the same time. */
  get mostSessions(): number {
    return this.#mostSessions
  }

  /** How many sessions were one too many. */
  get refused(): number {
    return this.#refused
  }

  /** Every line that was typed or run, in order. */
  get typed(): readonly TypedLine[] {
    return this.#typed
  }

  /**
   * Changes how it writes from now on.
   *
   * @throws ConfigError when options are wrong: all that are, at once.
   */
  setOutput(options: Pick<DeviceOptions, 'packetSize' | 'outputDelay'>): void {
    checkOutputOptions(options)
    const { packetSize, outputDelay } = options
    if (packetSize !== undefined) this.#output.packetSize = packetSize
    if (outputDelay !== undefined) this.#output.delayMs = outputDelay
  }

  /** Shows a line in every shell that nobody asked for, as a log message on a console. */
  log(text: string): void {
    for (const connection of this.#sockets.values()) connection.interrupt(text)
  }

  /** Ends sessions without a word: one by its id, or all. */
  kill(session?: number): void {
    for (const connection of this.#sockets.values()) if (session === undefined || connection.id === session) connection.reset()
  }

  /** Ends sessions in an orderly way, as when an operator clears a line: one by its id, or all. */
  disconnect(session?: number): void {
    for (const connection of this.#sockets.values()) if (session === undefined || connection.id === session) connection.end()
  }

  /** Answers nothing any more, neither old sessions nor new ones, until {@link wake}. */
  hang(): void {
    this.#hangs = true
    for (const connection of this.#sockets.values()) connection.hold(true)
  }

  /** Goes on where {@link hang} stopped it. */
  wake(): void {
    this.#hangs = false
    for (const connection of this.#sockets.values()) connection.hold(false)
    for (const socket of this.#unanswered) this.#serve(socket)
    this.#unanswered.clear()
  }

  /**
   * Drops all sessions, is gone for a while, and comes back on the same port. Resolves when it takes connections again, or
   * when it has been closed meanwhile. A second one waits for the first.
   *
   * @throws ConfigError when an option is wrong.
   */
  async reboot(options: RebootOptions = {}): Promise<void> {
    checkRebootOptions(options)
    const { downFor = 100 } = options
    const { signal } = this.#closing
    const rebooted = this.#rebooted.then(async () => {
      await this.#stop()
      await delay(downFor, undefined, { signal }).catch(() => {})
      this.#hangs = false
      if (!signal.aborted) await this.#listen(this.#port)
    })
    this.#rebooted = rebooted.catch(() => {})
    await rebooted
  }

  /** Ends all sessions and stops listening. Nothing is left when it resolves. Doing it twice does no harm. */
  async close(): Promise<void> {
    // One that is under way would come back.
    this.#closing.abort()
    await this.#rebooted
    await this.#stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of [...this.#sockets.keys(), ...this.#unanswered]) socket.resetAndDestroy()
    this.#unanswered.clear()
    await closed
  }

  async #listen(port: number): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
    server.listen(port, this.host)
    await once(server, 'listening')
    this.#server = server
    this.#port = port
  }

  #accept(socket: Socket): void {
    socket.on('error', () => {})
    if (!this.#hangs) {
      this.#serve(socket)
      return
    }
    this.#unanswered.add(socket)
    // Served after its end, it would be a session that nothing ends.
    socket.once('close', () => this.#unanswered.delete(socket))
  }

  #serve(socket: Socket): void {
    const { sessionLimit = Number.POSITIVE_INFINITY, whenFull } = this.#options
    const full = this.#sockets.size >= sessionLimit
    if (full) this.#refused++
    if (full && whenFull === 'close') {
      socket.destroy()
      return
    }
    const connection = new DeviceConnection(++this.#lastSession, socket, {
      options: this.#options,
      state: this.#state,
      login: this.#login,
      output: () => this.#output,
      typed: (line, session) => this.#typed.push({ session, line }),
      full,
    })
    this.#sockets.set(socket, connection)
    // A peer that has hung up has no session any more, before its socket has been closed on this side as well: it may
    // be back already.
    for (const event of ['end', 'close']) socket.once(event, () => this.#sockets.delete(socket))
    if (!full) this.#mostSessions = Math.max(this.#mostSessions, this.#sockets.size)
    this.#ssh.injectSocket(socket)
  }

  #connectionFrom(remotePort: number): DeviceConnection | undefined {
    for (const connection of this.#sockets.values()) if (connection.remotePort === remotePort) return connection
    return undefined
  }
}

/**
 * Starts a simulated device. It needs the package `ssh2`, as the SSH driver does.
 *
 * @throws ConfigError when options are wrong: all that are, at once.
 * @example
 * await using router = await startDevice({ platform: 'cisco_iosxe', hostname: 'router-17', sessionLimit: 5 })
 * const pool = createPool(ssh({ host: router.host, port: router.port, username: 'admin', password: 'admin',
 *   hostKey: router.fingerprint, cli: { platform: router.platform } }))
 */
export async function startDevice(options: DeviceOptions): Promise<Device> {
  return Device.start(options)
}
