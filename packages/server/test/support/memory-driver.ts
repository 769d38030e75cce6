import { type Driver, defineDriver, type Watcher } from 'wellpool'

/** A client without a peer. */
export interface MemoryClient {
  readonly number: number
}

/** A driver without a peer, in real time, that does as it is told. */
export interface MemoryDriver {
  readonly driver: Driver<MemoryClient>
  /** What connects wait for, and may reject with. */
  connect: () => Promise<void>
  check: () => Promise<void>
  /** How many clients were made. */
  readonly made: () => number
  /** Keeps all checks from ending, from now on, until what is returned is called. */
  holdChecks: () => () => void
  /** Reports the latest client as lost. */
  lose: () => void
}

export function memoryDriver(protocol = 'memory'): MemoryDriver {
  let number = 0
  const watchers = new Map<MemoryClient, Watcher>()
  const memory: MemoryDriver = {
    connect: async () => {},
    check: async () => {},
    made: () => number,
    holdChecks: () => {
      let release = (): void => {}
      const gate = new Promise<void>((resolve) => {
        release = resolve
      })
      memory.check = () => gate
      return release
    },
    lose: () => [...watchers.values()].at(-1)?.lost(new Error('connection reset')),
    driver: defineDriver<MemoryClient>({
      protocol,
      async connect() {
        await memory.connect()
        return { number: ++number }
      },
      check: () => memory.check(),
      close: (client) => void watchers.delete(client),
      destroy: (client) => void watchers.delete(client),
      watch: (client, watcher) => void watchers.set(client, watcher),
    }),
  }
  return memory
}
