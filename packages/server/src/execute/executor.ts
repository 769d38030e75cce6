import type { Pool } from 'wellpool'
import type { ExecuteRequest } from '../api/context.ts'
import type { ExecuteRules } from '../config/config.ts'

/** A call that is allowed. */
export interface Execution {
  readonly request: ExecuteRequest
  readonly rules: ExecuteRules
  /** How long it may take in all, ms. */
  readonly timeoutMs: number
  /** Aborted when the caller has hung up, or the time is more than up. */
  readonly signal: AbortSignal
}

/** What it has brought. */
export interface ExecutionResult {
  readonly kind: 'rows' | 'reply' | 'output'
  readonly connectionId: string
  readonly truncated: boolean
  readonly columns?: readonly { readonly name: string; readonly type: string }[]
  readonly rows?: readonly (readonly unknown[])[]
  readonly rowCount?: number
  readonly reply?: unknown
  readonly stdout?: string
  readonly stderr?: string
  readonly exitCode?: number
}

/** Runs what a pool of one protocol can run. */
export interface Executor {
  /** What is wrong with the request for this protocol; undefined if nothing is. */
  misfit(request: ExecuteRequest): string | undefined
  /** Whether the rules allow it. */
  allows(rules: ExecuteRules, request: ExecuteRequest): boolean
  /** Whether an error says that the peer has given it up because the time was up. */
  timedOut(error: unknown): boolean
  run(pool: Pool<unknown>, execution: Execution): Promise<ExecutionResult>
}

/** By protocol. An executor that is loaded loads a client library, so it waits until it is needed. */
export const EXECUTORS: Readonly<Record<string, () => Promise<Executor>>> = {
  mysql: async () => (await import('./mysql.ts')).executor,
  postgres: async () => (await import('./postgres.ts')).executor,
  redis: async () => (await import('./redis.ts')).executor,
  ssh: async () => (await import('./ssh.ts')).executor,
}
