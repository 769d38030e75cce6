import type { Driver } from '../engine/driver.ts'
import { abortable } from '../shared/abortable.ts'
import { ConnectErrors } from '../shared/connect-errors.ts'
import { openSocket } from '../shared/open-socket.ts'
import { Secrets } from '../shared/secrets.ts'
import type { TcpClient } from './tcp-client.ts'
import { classifyTcpError } from './tcp-errors.ts'
import type { Frame, FrameCoder, FrameOf, LengthFraming, LineFraming } from './tcp-framing.ts'
import { resolveTcpOptions, type TcpHooks, type TcpOptions } from './tcp-options.ts'
import { TcpSession } from './tcp-session.ts'

export type { TcpCallOptions, TcpClient } from './tcp-client.ts'
export { TcpError, type TcpErrorCode } from './tcp-errors.ts'
export type { FrameOf, LengthFraming, LineFraming } from './tcp-framing.ts'
export type { TcpContext, TcpHooks, TcpOptions } from './tcp-options.ts'

/**
 * The driver for protocols of one's own on TCP, TLS or a Unix socket, on nothing but Node: frames that are lines or
 * that have their length before them. A pool's client is a {@link TcpClient}.
 *
 * - `connect`: a socket with TCP keep-alive, then `onConnect`, then one `probe`: a socket connects when the peer's
 *   kernel says so, an answer comes from the peer. An abort closes the socket at once. Certificates that don't fit
 *   are `fatal`; what else is, `classify` says.
 * - `check`: the `probe`, which has to bring a frame.
 * - `reset`: `onRelease` if there is one. Answers to requests that were given up are awaited and dropped. Frames that
 *   nobody has read, or a part of one, mean that the next borrower could get them: the connection is replaced. When
 *   there is nothing of all this, nothing is done.
 * - `watch`: reports the end of the socket, and whatever of the peer can't be understood any more: a frame that is
 *   too long, or that nobody has asked for.
 * - `close`: sends `goodbye` and a FIN, and waits for the peer's.
 * - `classify`: by {@link TcpError}'s codes; a socket's errors are `fatal`.
 *
 * @throws ConfigError when options are wrong: all that are, at once.
 * @example
 * const pool = createPool(tcp({ port: 11211, framing: { line: '\r\n' }, probe: (client, { signal }) => client.request('version', { signal }) }))
 * const answer = await pool.use((client) => client.request('get greeting', { timeout: '1s' }))
 */
export function tcp<const Framing extends LineFraming | LengthFraming>(options: TcpOptions<Framing>): Driver<TcpClient<FrameOf<Framing>>> {
  return createDriver<FrameOf<Framing>>(options as never)
}

function createDriver<F extends Frame>(options: TcpOptions<LineFraming | LengthFraming>): Driver<TcpClient<F>> {
  const { target, coder, maxFrameSize } = resolveTcpOptions(options)
  const { protocol = 'tcp', goodbye, classify, tls } = options
  // What a frame is follows from the framing, which TypeScript has seen to.
  const hooks = options as unknown as TcpHooks<F>
  const setUp = { hooks, coder: coder as FrameCoder<F>, maxFrameSize, goodbye }
  const { key, passphrase } = typeof tls === 'object' ? tls : {}
  const secrets = new Secrets([...(options.secrets ?? []), key, passphrase])
  const sessions = new WeakMap<TcpClient<F>, TcpSession<F>>()
  const connectErrors = new ConnectErrors()
  const sessionOf = (client: TcpClient<F>): TcpSession<F> => {
    const session = sessions.get(client)
    if (session === undefined) throw new TypeError('this client was not made by this driver')
    return session
  }
  const open = async (signal: AbortSignal): Promise<TcpClient<F>> => {
    const session = new TcpSession(await openSocket(target, signal), setUp)
    try {
      await abortable(session.open(signal), signal)
    } catch (error) {
      session.destroy()
      throw error
    }
    sessions.set(session.client, session)
    return session.client
  }
  return {
    protocol,
    async connect({ signal }) {
      try {
        return await open(signal)
      } catch (error) {
        connectErrors.add(error)
        throw error
      }
    },
    check: (client, { signal }) => abortable(sessionOf(client).probe(), signal),
    reset: (client) => sessionOf(client).reset(),
    watch: (client, watcher) => sessionOf(client).watch(watcher),
    close: (client) => sessionOf(client).close(),
    destroy: (client) => sessionOf(client).destroy(),
    ref: (client) => sessionOf(client).ref(),
    unref: (client) => sessionOf(client).unref(),
    classify(error) {
      const connecting = connectErrors.has(error)
      return classify?.(error, connecting) ?? classifyTcpError(error, connecting)
    },
    secrets: () => secrets.all,
  }
}
