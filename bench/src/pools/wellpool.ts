import { createPool, defineDriver, type Lease } from 'wellpool'
import type { OpenPool } from '../contender.ts'

/** Wellpool with everything on that is on by default: time-outs, health, events (nobody listens). Promises, a lease each time. */
export const open: OpenPool = async ({ endpoint, maxConnections, minConnections, acquireTimeout, maxWaiting }) => {
  const driver = defineDriver({
    protocol: 'nothing',
    connect: () => endpoint.connected().then(() => ({})),
    check: () => {},
    close: () => endpoint.closed(),
    destroy: () => endpoint.closed(),
  })
  const pool = createPool(driver, {
    maxConnections,
    maxWaiting: Math.max(10_000, maxWaiting),
    ...(minConnections === undefined ? {} : { minConnections }),
    ...(acquireTimeout === undefined ? {} : { acquireTimeout }),
  })
  await pool.start()
  return {
    style: 'promise',
    acquire: () => pool.acquire(),
    release: (lease) => (lease as Lease<object>).release(),
    waiting: () => pool.stats().waiting,
  }
}
