import { connect, type Socket } from 'node:net'
import type ssh2 from 'ssh2'
import { DeviceCli } from './cli.ts'
import type { DeviceLogin } from './login.ts'
import type { DeviceOptions } from './options.ts'
import type { OutputOptions } from './output.ts'
import { DeviceShell } from './shell.ts'
import type { DeviceState } from './state.ts'

/** What a connection needs of its device. */
export interface ConnectionSurroundings {
  readonly options: DeviceOptions
  readonly state: DeviceState
  readonly login: DeviceLogin
  readonly output: () => OutputOptions
  readonly typed: (line: string, session: number) => void
  /** Whether this session is one too many. */
  readonly full: boolean
}

/** One SSH connection to a device, as the device sees it. */
export class DeviceConnection {
  readonly id: number
  /** The peer's own port. */
  readonly remotePort: number
  readonly #socket: Socket
  readonly #around: ConnectionSurroundings
  readonly #shells = new Set<DeviceShell>()
  #user = ''
  #channels = 0
  #tunnels = 0
  #peer: ssh2.Connection | undefined

  constructor(id: number, socket: Socket, around: ConnectionSurroundings) {
    this.id = id
    this.remotePort = socket.remotePort ?? 0
    this.#socket = socket
    this.#around = around
  }

  get user(): string {
    return this.#user
  }

  /** Shells and commands that are open. */
  get channels(): number {
    return this.#channels
  }

  /** Ways to other hosts that are open. */
  get tunnels(): number {
    return this.#tunnels
  }

  /** The handshake is over: the device listens to what the peer wants. */
  serve(peer: ssh2.Connection): void {
    const { login, state, full, options } = this.#around
    this.#peer = peer
    peer.on('authentication', (attempt: ssh2.AuthContext) => {
      if (full && (options.whenFull ?? 'disconnect') === 'disconnect') {
        endFor(peer, TOO_MANY_CONNECTIONS)
        return
      }
      this.#user = attempt.username
      login.decide(attempt)
    })
    peer.on('session', (accept, reject) => {
      const { channelLimit = state.kind.oneChannel ? 1 : Number.POSITIVE_INFINITY } = options
      if (this.#channels >= channelLimit || (full && options.whenFull === 'channel')) reject()
      else this.#open(accept() as unknown as ssh2.Session)
    })
    peer.on('tcpip', (accept, reject, { destIP, destPort }) => {
      if (options.forwarding === true) this.#forward(accept, reject, destIP, destPort)
      else reject()
    })
  }

  /** While it is held, nothing goes out and nothing is read. */
  hold(held: boolean): void {
    for (const shell of this.#shells) shell.output.hold(held)
    if (held) this.#socket.pause()
    else this.#socket.resume()
  }

  /** Shows something in every shell that nobody asked for. */
  interrupt(text: string): void {
    for (const shell of this.#shells) shell.interrupt(text)
  }

  /** Ends it with a word of goodbye. */
  end(): void {
    this.#peer?.end()
  }

  /** Ends it without a word. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  #open(session: ssh2.Session): void {
    const { kind } = this.#around.state
    const { execAllowed = kind.exec, oneChannel = kind.oneChannel } = this.#around.options
    this.#channels++
    let ended = false
    session.on('close', () => {
      if (ended) return
      ended = true
      this.#channels--
      if (this.#peer !== undefined) confirmClosing(this.#peer, session)
      if (oneChannel) this.#peer?.end()
    })
    session.on('pty', (accept) => accept?.())
    session.on('shell', (accept) => this.#startShell(accept()))
    session.on('exec', (accept, reject, { command }) => {
      if (execAllowed) this.#exec(accept(), command)
      else reject()
    })
  }

  #startShell(channel: ssh2.ServerChannel): void {
    const { options, state, output, full } = this.#around
    channel.on('error', () => {})
    if (full && options.whenFull === 'text') {
      channel.end(`${state.kind.full}\r\n`)
      return
    }
    const shell = new DeviceShell(
      channel,
      this.#makeCli(() => channel.end(), options.pageLength ?? state.kind.pageLength),
      {
        kind: state.kind,
        output,
        motd: options.motd ?? '',
        typed: (line) => this.#around.typed(line, this.id),
      },
    )
    this.#shells.add(shell)
    channel.on('close', () => {
      shell.output.stop()
      this.#shells.delete(shell)
      state.rollback(this.id)
    })
  }

  #exec(channel: ssh2.ServerChannel, command: string): void {
    this.#around.typed(command, this.id)
    channel.on('error', () => {})
    const cli = this.#makeCli(() => {}, 0)
    const known = cli.knows(command.trim().replaceAll(/\s+/g, ' '))
    const lines = cli.take(command)
    if (lines.length > 0) channel.write(`${lines.join('\n')}\n`)
    channel.exit(known ? 0 : 127)
    channel.end()
  }

  #makeCli(leave: () => void, pageLength: number): DeviceCli {
    const { state, options } = this.#around
    const commands = options.commands ?? {}
    return new DeviceCli({ session: this.id, user: this.#user, state, commands, pageLength, leave })
  }

  #forward(accept: () => ssh2.ServerChannel, reject: () => void, host: string, port: number): void {
    const way = connect({ host, port })
    way.once('error', reject)
    way.once('connect', () => {
      way.off('error', reject)
      const channel = accept()
      this.#tunnels++
      for (const end of [way, channel]) end.on('error', () => {})
      way.pipe(channel)
      channel.pipe(way)
      way.once('close', () => {
        this.#tunnels--
        channel.end()
      })
      channel.once('close', () => way.destroy())
    })
  }
}

/** RFC 4253, 11.1: SSH_DISCONNECT_TOO_MANY_CONNECTIONS. */
const TOO_MANY_CONNECTIONS = 12

/** ssh2's servers leave it unanswered when a channel is closed on which nothing was begun. */
function confirmClosing(peer: ssh2.Connection, session: ssh2.Session): void {
  const { _channel: begun, _chanInfo: info } = session as unknown as {
    readonly _channel: unknown
    readonly _chanInfo: { readonly outgoing: { readonly id: number } }
  }
  const { _protocol: protocol } = peer as unknown as { readonly _protocol: { channelClose(channel: number): void } }
  if (begun === undefined) protocol.channelClose(info.outgoing.id)
}

/** ssh2's servers end connections with one reason only; this is what it has inside. */
function endFor(peer: ssh2.Connection, reason: number): void {
  ;(peer as unknown as { _protocol: { disconnect(reason: number): void } })._protocol.disconnect(reason)
  peer.end()
}
