import type { Driver, PoolOptions } from 'wellpool'

/** How the agent is reached. Files are absolute. */
export interface ServerConfig {
  readonly host: string
  readonly port: number
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly tokensFile: string | undefined
  readonly auditLog: string | undefined
  readonly dashboard: boolean
  readonly eventHistory: number
  readonly maxEventClients: number
}

/** What may be run over a pool. */
export interface ExecuteRules {
  readonly allow: readonly string[]
  readonly readOnly: boolean
  /** The longest that one call may take, ms. */
  readonly timeoutMs: number
  /** The most that one call brings back, bytes. */
  readonly maxOutput: number
  readonly maxRows: number
}

/** One pool of a file. */
export interface PoolConfig {
  readonly name: string
  readonly protocol: string
  readonly driver: Driver<unknown>
  /** The pool's own options over those for all. */
  readonly options: Omit<PoolOptions, 'name'>
  readonly execute: ExecuteRules | undefined
  /** Changes when the driver's options do, and tells nothing of them. */
  readonly driverFingerprint: string
}

/** A configuration that is right in all its parts: the drivers are made, and nothing is connected. */
export interface AgentConfig {
  readonly file: string
  readonly server: ServerConfig
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly drainTimeoutMs: number
  readonly pools: ReadonlyMap<string, PoolConfig>
  /** What stands in the file, secrets masked. */
  readonly shown: unknown
}
