import type { Problem } from './contract.ts'

/** The agent has answered, and refused. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly status: number
  readonly code: string
  /** After so long the same may be tried again, if the agent says so. */
  readonly retryAfterS: number | undefined

  constructor({ status, code, title, detail }: Problem, retryAfterS?: number) {
    super(detail ?? title)
    this.status = status
    this.code = code
    this.retryAfterS = retryAfterS
  }
}

/** No answer of the agent's: it is down, or something between it and this page is. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
}

/** How a request is sent. `fetch` fits. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface RequestOptions {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** What a proxy answers for an agent that it does not reach; the agent itself says so with a problem. */
const OF_A_PROXY = [502, 503, 504]
/** A request that takes longer counts as unanswered, ms. */
const TIMEOUT_MS = 10_000
/** What a header can carry, and a token can be made of. */
const TOKEN = /^[A-Za-z0-9_-]{1,200}$/

/** Sends requests to the API that serves this page, with a token where there is one. */
export class Client {
  readonly #base: string
  readonly #fetch: Fetch
  #token: string | undefined

  /** @param base the address of the API, which ends with a slash */
  constructor(base: string, fetch: Fetch = (url, init) => globalThis.fetch(url, init)) {
    this.#base = base
    this.#fetch = fetch
  }

  set token(token: string | undefined) {
    this.#token = token
  }

  /** @returns the body of the answer @throws RefusedError, UnreachableError, the reason of the signal */
  async request<Answer>(method: 'GET' | 'POST' | 'DELETE', path: string, options: RequestOptions = {}): Promise<Answer> {
    const { signal } = options
    const response = await this.open(method, path, {
      ...options,
      signal: signal === undefined ? AbortSignal.timeout(TIMEOUT_MS) : AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    return unreachableIfItFails(response.json() as Promise<Answer>, signal)
  }

  /** @returns the answer when its head is there: for streams */
  async open(method: string, path: string, { body, headers, signal }: RequestOptions = {}): Promise<Response> {
    const response = await unreachableIfItFails(
      this.#fetch(this.#base + path, {
        method,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal !== undefined && { signal }),
        cache: 'no-store',
        credentials: 'same-origin',
      }),
      signal,
    )
    if (response.ok) return response
    throw await refusal(response)
  }
}

/** Whether a text can be a token at all: another one could not even be sent. */
export function mayBeToken(text: string): boolean {
  return TOKEN.test(text)
}

async function unreachableIfItFails<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  try {
    return await promise
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new UnreachableError((error as Error).message, { cause: error })
  }
}

async function refusal(response: Response): Promise<Error> {
  const { status, headers } = response
  const isProblem = headers.get('content-type')?.includes('problem+json') === true
  if (!isProblem && OF_A_PROXY.includes(status)) return new UnreachableError(`HTTP ${status}`)
  const problem: unknown = isProblem ? await response.json().catch(() => undefined) : undefined
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN)
  return new RefusedError(
    (problem as Problem | undefined) ?? { status, code: `HTTP_${status}`, title: `HTTP ${status} ${response.statusText}`.trim() },
    Number.isFinite(retryAfter) ? retryAfter : undefined,
  )
}
