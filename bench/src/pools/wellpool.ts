import { createPool, defineDriver, type Lease, type Pool } from 'wellpool'
import type { OpenPool, Setup } from '../contender.ts'

/** Wellpool with everything on that is on by default: time-outs, health, events (nobody listens). Promises, a lease each time. */
export const open: OpenPool = async (setup) => {
  const pool = await start(setup)
  return {
    style: 'promise',
    acquire: () => pool.acquire(),
    release: (lease) => (lease as Lease<object>).release(),
    waiting: () => pool.stats().waiting,
  }
}

/** The same by `use`, the way to prefer. */
export const openForUse: OpenPool = async (setup) => {
  const pool = await start(setup)
  return { style: 'execute', execute: (work) => pool.use(work), waiting: () => pool.stats().waiting }
}

async function start({ endpoint, maxConnections, minConnections, acquireTimeout, maxWaiting }: Setup): Promise<Pool<object>> {
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
  return pool
}
