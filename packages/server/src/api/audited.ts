import type { FastifyRequest } from 'fastify'
import type { AuditLog } from '../security/audit-log.ts'
import { type ApiContext, identityOf } from './context.ts'
import { ApiProblem, toProblem } from './problem.ts'

/** A change that somebody wants to make. */
export interface Change {
  readonly action: string
  readonly target: string
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * Makes a change and writes down who made it and what came of it. No change is made that can't be written down.
 *
 * @param outcome what is written for a success
 */
export async function audited<Result>(
  { audit }: Pick<ApiContext, 'audit'>,
  request: FastifyRequest,
  change: Change,
  run: () => Result | Promise<Result>,
  outcome: (result: Result) => string = () => 'done',
): Promise<Result> {
  assertWritable(audit)
  const began = performance.now()
  const note = (result: string): void => noteChange(audit, request, change, result, performance.now() - began)
  try {
    const result = await run()
    note(outcome(result))
    return result
  } catch (error) {
    note(toProblem(error).code)
    throw error
  }
}

/** Writes down a change, or a try to make one. */
export function noteChange(
  audit: AuditLog,
  request: FastifyRequest,
  { action, target, details }: Change,
  result: string,
  durationMs: number,
): void {
  const { name, tokenId } = identityOf(request)
  audit.write({
    time: new Date().toISOString(),
    who: name,
    ...(tokenId !== undefined && { tokenId }),
    address: request.socket.remoteAddress ?? '',
    action,
    target,
    ...(details !== undefined && Object.keys(details).length > 0 && { details }),
    result,
    durationMs: Math.round(durationMs),
  })
}

function assertWritable(audit: AuditLog): void {
  if (audit.fault === undefined) return
  audit.retry(new Date())
  if (audit.fault !== undefined) throw new ApiProblem('AUDIT_LOG_FAILED', `the audit log can't be written: ${audit.fault.message}`)
}
