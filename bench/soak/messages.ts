/** What the application is told when it is started. */
export interface Settings {
  readonly address: {
    readonly host: string
    readonly port: number
    readonly user: string
    readonly database: string
    readonly password: string
  }
  readonly seed: number
  /** For a test of the soak itself: forgets something at each request. */
  readonly leaks: boolean
}

/** Let what is under way end, wait until all connections are there, collect garbage, count, and go on. */
export interface Command {
  readonly do: 'sample'
}

/** What is counted in the application's process, while it is at rest. */
export interface Counts {
  /** The heap after all garbage is gone, with the buffers outside of it, bytes. */
  readonly heap: number
  /** What would hold the process open. */
  readonly handles: number
  readonly sockets: number
  /** Timers of the pool's that are pending. */
  readonly timers: number
  /** Listeners on the process, on the clients and their sockets, and on the signal that all requests share. */
  readonly listeners: number
  /** Clients that the pool has connected and not ended. */
  readonly clients: number
}

/** What became of the requests so far. */
export interface Traffic {
  readonly requests: number
  /** Those that failed beside those that were meant to. */
  readonly failed: number
}

export type Report = { readonly kind: 'ready' } | { readonly kind: 'sample'; readonly counts: Counts; readonly traffic: Traffic }
