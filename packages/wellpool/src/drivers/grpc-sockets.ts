import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** Where Node tells of every socket that begins to connect. */
const SOCKETS = 'net.client.socket'

const contexts = new AsyncLocalStorage<Set<Socket>>()
let following = 0

function hear(message: unknown): void {
  const { socket } = message as { readonly socket: Socket }
  contexts.getStore()?.add(socket)
}

/**
 * Runs what makes connects, and notes the sockets that come of it, now or later, until `stop` is called. grpc-js gives
 * nobody its sockets; without them a connect can't be given up, nor a silent connection closed.
 */
export function followSockets(run: () => void): { readonly sockets: ReadonlySet<Socket>; readonly stop: () => void } {
  const sockets = new Set<Socket>()
  if (following++ === 0) subscribe(SOCKETS, hear)
  contexts.run(sockets, run)
  let stopped = false
  const stop = (): void => {
    if (stopped) return
    stopped = true
    if (--following > 0) return
    unsubscribe(SOCKETS, hear)
    // As long as it is on, it costs a little for each promise of the process.
    contexts.disable()
  }
  return { sockets, stop }
}
