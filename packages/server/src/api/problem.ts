import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { ConfigError, RebuildFailedError, WellpoolError } from 'wellpool'
import { toBatchResult } from './schemas/rebuilds.ts'

/** What went wrong, as RFC 9457 has it. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail?: string
  readonly [extension: string]: unknown
}

/** Every code of the API's own, with its status and title. Those of the library keep their codes. */
export const OWN_PROBLEMS = {
  INVALID_REQUEST: [400, 'The request is wrong'],
  UNAUTHORIZED: [401, 'Who is asking is not known'],
  FORBIDDEN: [403, 'Not allowed'],
  CROSS_SITE: [403, 'Asked for by another site'],
  NOT_THIS_MACHINE: [403, 'Only this machine is answered'],
  EXECUTE_OFF: [403, 'Nothing can be run over this pool'],
  EXECUTE_REFUSED: [403, 'This may not be run over this pool'],
  NOT_FOUND: [404, 'There is no such thing'],
  POOL_NOT_FOUND: [404, 'There is no such pool'],
  PROTOCOL_NOT_FOUND: [404, 'There is no pool of this protocol'],
  JOB_NOT_FOUND: [404, 'There is no such job'],
  REQUEST_TIMEOUT: [408, 'The request took too long to come'],
  NOT_AN_AGENT: [409, 'This server has no configuration file'],
  BODY_TOO_LARGE: [413, 'The body is too large'],
  NAME_TOO_LONG: [414, 'A name in the address is too long'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'Bodies are JSON'],
  EXECUTE_FAILED: [422, 'The peer has refused it'],
  TOO_MANY_FAILURES: [429, 'Too many wrong tokens'],
  HEADERS_TOO_LARGE: [431, 'The headers are too large'],
  INTERNAL: [500, 'A fault of the server'],
  AUDIT_LOG_FAILED: [503, 'Changes cannot be recorded'],
  SERVER_ENDING: [503, 'The server is ending'],
  TOO_MANY_CLIENTS: [503, 'Too many follow the events already'],
  TOO_MANY_JOBS: [503, 'Too many jobs run already'],
  EXECUTE_TIMEOUT: [504, 'The peer has not answered in time'],
} as const satisfies Record<string, readonly [number, string]>

export type OwnCode = keyof typeof OWN_PROBLEMS

/** The status for each code of the library. */
const LIBRARY_STATUS: Readonly<Record<string, number>> = {
  ACQUIRE_TIMEOUT: 503,
  POOL_CLOSED: 409,
  POOL_PAUSED: 409,
  QUEUE_FULL: 503,
  CIRCUIT_OPEN: 503,
  CONNECT_FAILED: 502,
  HEALTH_CHECK_FAILED: 502,
  CONNECTION_LOST: 502,
  CONNECTION_BUSY: 409,
  CONNECTION_STATE: 409,
  CONNECTION_NOT_FOUND: 404,
  REBUILD_FAILED: 502,
  INVALID_CONFIG: 400,
}

/** How long to wait where the pool says that trying again may help, seconds. */
const RETRY_AFTER = 1

/** Ends a request with a problem. */
export class ApiProblem extends Error {
  readonly code: OwnCode
  readonly extensions: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: OwnCode,
    detail: string,
    extensions: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail)
    this.name = 'ApiProblem'
    this.code = code
    this.extensions = extensions
    this.headers = headers
  }
}

/** What an error is told as. Of a fault nothing is told but that it is one. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ApiProblem) return own(error.code, error.message, error.extensions)
  if (error instanceof WellpoolError) {
    const extensions =
      error instanceof ConfigError
        ? { problems: error.problems }
        : error instanceof RebuildFailedError
          ? { result: toBatchResult(error.result) }
          : {}
    return problem(LIBRARY_STATUS[error.code] ?? 500, titleOf(error.code), error.code, error.message, {
      ...extensions,
      retryable: error.retryable,
    })
  }
  const { code, statusCode, message, validation, validationContext } = (error ?? {}) as FastifyError
  if (validation !== undefined) {
    const problems = validation.map(({ instancePath, message: allowed = '', params }) => {
      const name = (params as { additionalProperty?: string }).additionalProperty
      return { path: [validationContext, ...instancePath.split('/').slice(1), ...(name === undefined ? [] : [name])].join('.'), allowed }
    })
    return own('INVALID_REQUEST', problems.map(({ path, allowed }) => `${path} ${allowed}`).join('; '), { problems })
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return own('BODY_TOO_LARGE', message)
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return own('NAME_TOO_LONG', 'nothing here has a name as long as that')
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return own('UNSUPPORTED_MEDIA_TYPE', message)
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return own('INVALID_REQUEST', message)
  return own('INTERNAL', 'see the log of the server')
}

/** Answers every error with a problem, and writes those down that are the server's own fault. */
export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const answer = toProblem(error)
  if (answer.status === 500) request.log.error({ err: error }, 'a request has failed')
  if (error instanceof ApiProblem) void reply.headers(error.headers)
  else if (answer.status === 503) void reply.header('retry-after', String(RETRY_AFTER))
  void reply.code(answer.status).type('application/problem+json').send(JSON.stringify(answer))
}

function problem(status: number, title: string, code: string, detail: string, extensions: Readonly<Record<string, unknown>> = {}): Problem {
  return { type: `urn:wellpool:problem:${code.toLowerCase().replaceAll('_', '-')}`, title, status, code, detail, ...extensions }
}

function own(code: OwnCode, detail: string, extensions: Readonly<Record<string, unknown>> = {}): Problem {
  const [status, title] = OWN_PROBLEMS[code]
  return problem(status, title, code, detail, extensions)
}

/** `CONNECTION_NOT_FOUND` → `Connection not found`. */
const titleOf = (code: string): string => code.charAt(0) + code.slice(1).toLowerCase().replaceAll('_', ' ')
