import { type Pool, PoolClosedError, parseDuration, WellpoolError } from 'wellpool'
import type { ExecuteRequest } from '../api/context.ts'
import { ApiProblem } from '../api/problem.ts'
import type { PoolConfig } from '../config/config.ts'
import { EXECUTORS, type ExecutionResult } from './executor.ts'

/** The peer is given this much longer to end by itself what has taken too long, ms. */
const GRACE = 1000

/**
 * Runs something over a pool, if its rules allow it.
 *
 * @throws ApiProblem when it is not allowed, has failed or has taken too long; an error of the pool when there is no
 *   connection to be had
 */
export async function execute(
  pool: Pool<unknown>,
  config: PoolConfig,
  request: ExecuteRequest,
  hungUp: AbortSignal,
): Promise<ExecutionResult & { durationMs: number }> {
  const began = performance.now()
  const { execute: rules, name, protocol, driver } = config
  const load = EXECUTORS[protocol]
  if (rules === undefined || load === undefined) throw new ApiProblem('EXECUTE_OFF', `the pool ${name} has no section 'execute'`)
  const executor = await load()
  const misfit = executor.misfit(request)
  if (misfit !== undefined) throw new ApiProblem('INVALID_REQUEST', misfit)
  if (!executor.allows(rules, request)) throw new ApiProblem('EXECUTE_REFUSED', `the rules of the pool ${name} don't allow this`)
  const timeoutMs = Math.min(rules.timeoutMs, requestedTimeout(request))
  const timeUp = AbortSignal.timeout(timeoutMs + GRACE)
  const signal = AbortSignal.any([hungUp, timeUp])
  try {
    const result = await executor.run(pool, { request, rules, timeoutMs, signal })
    return { ...result, durationMs: performance.now() - began }
  } catch (error) {
    if (error instanceof WellpoolError || error instanceof ApiProblem) throw error
    // The peer has done nothing: the pool has ended what was still under way when it closed.
    if (['closing', 'closed'].includes(pool.stats().state)) throw new PoolClosedError(`cut off: pool ${name} was closed meanwhile`)
    if (timeUp.aborted || executor.timedOut(error)) throw new ApiProblem('EXECUTE_TIMEOUT', `nothing has come back within ${timeoutMs} ms`)
    throw new ApiProblem('EXECUTE_FAILED', mask(messageOf(error), driver.secrets?.() ?? []), detailsOf(error))
  }
}

function requestedTimeout({ timeout }: ExecuteRequest): number {
  if (timeout === undefined) return Number.POSITIVE_INFINITY
  const ms = typeof timeout === 'string' ? parseDuration(timeout) : timeout
  if (ms === undefined || !(ms >= 1))
    throw new ApiProblem('INVALID_REQUEST', "timeout has to be a duration (ms, or text such as '30s') from 1 ms")
  return ms
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const mask = (text: string, secrets: readonly string[]): string =>
  secrets.filter((secret) => secret !== '').reduce((masked, secret) => masked.replaceAll(secret, '***'), text)

/** What the peer says beside its message: SQLSTATE, where in the statement, the code of the driver. */
function detailsOf(error: unknown): Record<string, unknown> {
  const { code, sqlState, position } = (error ?? {}) as { code?: unknown; sqlState?: unknown; position?: unknown }
  const details = { peerCode: code, sqlState: sqlState ?? (/^[0-9A-Z]{5}$/.test(String(code)) ? code : undefined), position }
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined))
}
