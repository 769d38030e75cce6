import type { Pool } from 'wellpool'
import type { Execution, ExecutionResult } from './executor.ts'

/** What came of it, but for the connection. */
type Outcome = Omit<ExecutionResult, 'connectionId'>

/** The peer has answered, and its session is as it was before: what it has refused says nothing of the connection. */
export class Answered extends Error {
  /** @param cause what the call ends with */
  constructor(cause: unknown) {
    super('answered', { cause })
  }
}

/**
 * Runs something over a connection of the pool, which is the call's alone meanwhile. A call that is given up in the
 * middle costs its connection: nobody knows in what state that is.
 *
 * @typeParam Client what the pool's driver connects
 * @param run must not touch the client any more once the signal of the execution is aborted; may throw {@link Answered}
 */
export async function overConnection<Client>(
  pool: Pool<unknown>,
  { signal, timeoutMs }: Execution,
  run: (client: Client) => Promise<Outcome>,
): Promise<ExecutionResult> {
  const lease = await pool.acquire({ signal, timeout: timeoutMs })
  const { id: connectionId } = lease.connection
  let giveUp = (): void => {}
  const given = new Promise<never>((_, reject) => {
    giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    if (signal.aborted) giveUp()
  })
  try {
    const outcome = await Promise.race([run(lease.client as Client), given])
    lease.release()
    return { ...outcome, connectionId }
  } catch (error) {
    if (error instanceof Answered && !signal.aborted) {
      lease.release()
      throw error.cause
    }
    // Marked before it is given back, so that nobody gets it in between.
    if (signal.aborted) pool.rebuildConnectionById(connectionId, { urgent: true }).catch(() => {})
    lease.release(error)
    throw error
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
