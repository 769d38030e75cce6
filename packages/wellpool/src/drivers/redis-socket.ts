import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createConnection, type Socket, type TcpNetConnectOpts } from 'node:net'
import { abortable } from '../shared/abortable.ts'

/** Told of each socket that this process makes for a connection, as it is made. */
const CREATED = 'net.client.socket'

/**
 * Runs what makes a socket in the same turn, and returns that: clients of Redis keep theirs to themselves. Undefined
 * if none was seen.
 */
export function seeSocket<T>(run: () => T): { readonly result: T; readonly socket: Socket | undefined } {
  let socket: Socket | undefined
  const see = (message: unknown): void => {
    socket ??= (message as { socket: Socket }).socket
  }
  diagnostics.subscribe(CREATED, see)
  try {
    return { result: run(), socket }
  } finally {
    diagnostics.unsubscribe(CREATED, see)
  }
}

/** A socket that is connected. When it rejects, it is closed. */
export async function connectSocket(options: TcpNetConnectOpts, signal: AbortSignal): Promise<Socket> {
  const socket = createConnection(options)
  // What happens to it later is told by what is built upon it.
  socket.on('error', () => {})
  try {
    await abortable(once(socket, 'connect'), signal)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}
