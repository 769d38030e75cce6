import type ssh2 from 'ssh2'

/** A peer does not let in who has tried a way to log in: it takes these next. `partly`: the try was right, and is not enough. */
type Refusal = (protocol: unknown, offered: readonly string[], partly: boolean) => void

/** What ssh2's client has inside, in all of its versions since 1.15. */
interface ClientInternals {
  readonly _chanMgr?: {
    /** By number: a function for a channel that is being opened, an object for one that is open. */
    readonly _channels: Readonly<Record<string, unknown>>
  }
  /** What waits for an answer to a global request, in the order of the requests. */
  readonly _callbacks?: ((failed: unknown) => void)[]
  readonly _protocol?: {
    ping(): void
    /** What it calls when a message comes, by the message's name. */
    readonly _handlers?: { USERAUTH_FAILURE?: Refusal }
  }
  /** The ports of the peer that it was asked to forward from. */
  readonly _forwarding?: Readonly<Record<string, unknown>>
  readonly _forwardingUnix?: Readonly<Record<string, unknown>>
}

/** What ssh2 keeps in place of a channel that is on its way, for those that are disowned. */
const disowned = new WeakSet<object>()

/** What a borrower may have left in a client. */
export interface LeftBehind {
  readonly open: readonly ssh2.Channel[]
  /** How many channels the peer has been asked for and has not answered yet, those that are disowned left out. */
  readonly opening: number
  readonly forwarding: boolean
}

/** Everything that is open or on its way in this client, whoever asked for it. */
export function leftIn(client: ssh2.Client): LeftBehind {
  const { _chanMgr, _forwarding, _forwardingUnix } = client as unknown as ClientInternals
  const channels = Object.values(_chanMgr?._channels ?? {})
  return {
    open: channels.filter((channel) => typeof channel === 'object') as ssh2.Channel[],
    opening: channels.filter((channel) => typeof channel === 'function' && !disowned.has(channel)).length,
    forwarding: hasAny(_forwarding) || hasAny(_forwardingUnix),
  }
}

/** A channel that a client was asked for. */
export interface AskedChannel {
  /** From when the peer has opened it until it has closed it. */
  readonly opened: ssh2.Channel | undefined
  /** While it is on its way, it is no longer taken for left behind: who asked for it closes it when it comes. */
  disown(): void
}

/**
 * Asks a client for a channel. ssh2 hands out none on which the peer then refuses what is wanted, and leaves it open.
 *
 * @param ask calls the client, once
 */
export function askForChannel(client: ssh2.Client, ask: () => void): AskedChannel {
  ask()
  const channels = (): Readonly<Record<string, unknown>> => (client as unknown as ClientInternals)._chanMgr?._channels ?? {}
  // They are numbered upwards: the last one is what was asked for.
  const number = Object.keys(channels()).at(-1) ?? ''
  return {
    get opened() {
      const channel = channels()[number]
      return typeof channel === 'object' ? (channel as ssh2.Channel) : undefined
    },
    disown() {
      const channel = channels()[number]
      if (typeof channel === 'function') disowned.add(channel)
    },
  }
}

/**
 * Sends the request that OpenSSH's keep-alive sends, which every server answers, most of them with a refusal. Fulfils
 * with the answer, whatever it is.
 *
 * @throws Error when the connection ends instead
 */
export function ping(client: ssh2.Client): Promise<void> {
  const { _callbacks, _protocol } = client as unknown as ClientInternals
  return new Promise((resolve, reject) => {
    if (_callbacks === undefined || _protocol === undefined) throw new Error('the client of ssh2 has never been connected')
    _callbacks.push((failed) => {
      if (failed instanceof Error) reject(failed)
      else resolve()
    })
    _protocol.ping()
  })
}

/** Hears every refusal during the log-in. ssh2 passes none on that came to an agent's key, a key that was right included. */
export function onRefusal(client: ssh2.Client, hear: (offered: readonly string[], partly: boolean) => void): void {
  const handlers = (client as unknown as ClientInternals)._protocol?._handlers
  const handle = handlers?.USERAUTH_FAILURE
  if (handlers === undefined || handle === undefined) return
  handlers.USERAUTH_FAILURE = (protocol, offered, partly) => {
    hear(offered, partly)
    handle(protocol, offered, partly)
  }
}

function hasAny(record: Readonly<Record<string, unknown>> | undefined): boolean {
  return record !== undefined && Object.keys(record).length > 0
}
