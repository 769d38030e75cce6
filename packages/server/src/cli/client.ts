import { readFileSync } from 'node:fs'
import { Agent, type Dispatcher, fetch, type RequestInit, type Response } from 'undici'
import { excerpt } from '../config/masking.ts'
import type { EventRecord } from '../observe/pool-event.ts'
import { CliError, EXIT } from './exit-codes.ts'
import type { Io } from './io.ts'

/** Where the agent is, and who asks. */
export interface ClientOptions {
  readonly url?: string | undefined
  readonly tokenFile?: string | undefined
  readonly ca?: string | undefined
}

const DEFAULT_URL = 'http://127.0.0.1:7710'

/** Asks an agent, or any other server with its API. */
export class ApiClient {
  readonly url: string
  readonly #token: string | undefined
  readonly #dispatcher: Dispatcher
  readonly #signal: AbortSignal

  constructor(options: ClientOptions, { env, interrupted }: Pick<Io, 'env' | 'interrupted'>) {
    this.url = addressOf(options.url ?? (env.WELLPOOL_URL || DEFAULT_URL))
    this.#token = tokenOf(options.tokenFile ?? env.WELLPOOL_TOKEN_FILE, env.WELLPOOL_TOKEN)
    const ca = options.ca ?? env.WELLPOOL_CA
    this.#dispatcher = new Agent({
      // A rebuild, or a long command, takes its time.
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(ca !== undefined && { connect: { ca: readText(ca, 'the certificate') } }),
    })
    this.#signal = interrupted
  }

  /** @param signal ends it, in place of the user's wish for an end */
  get<Answer>(path: string, signal: AbortSignal = this.#signal): Promise<Answer> {
    return this.#json('GET', path, { signal })
  }

  post<Answer>(path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#json('POST', path, { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } })
  }

  /** As `get`, also when the user has asked for an end. */
  watch<Answer>(path: string): Promise<Answer> {
    return this.#json('GET', path, { signal: null })
  }

  /** Also when the user has asked for an end: it is how one is made. */
  delete<Answer>(path: string): Promise<Answer> {
    return this.#json('DELETE', path, { signal: null })
  }

  /** Events as they happen, until the user wants an end or the server hangs up. */
  async *events(query: URLSearchParams): AsyncGenerator<{ readonly type: string; readonly data: unknown }> {
    const response = await this.#ask('GET', `events/stream?${query}`)
    let buffer = ''
    const decoder = new TextDecoder()
    for await (const chunk of this.#chunks(response)) {
      buffer += decoder.decode(chunk, { stream: true })
      const messages = buffer.split('\n\n')
      buffer = messages.pop() ?? ''
      for (const message of messages) {
        const type = /^event: (.*)$/m.exec(message)?.[1]
        const data = /^data: (.*)$/m.exec(message)?.[1]
        if (type !== undefined && data !== undefined) yield { type, data: JSON.parse(data) as EventRecord }
      }
    }
  }

  async *#chunks({ body }: Response): AsyncGenerator<Uint8Array> {
    try {
      yield* body ?? []
    } catch (error) {
      if (this.#signal.aborted) throw error
      throw new CliError(EXIT.unreachable, `${this.url} has hung up`)
    }
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy()
  }

  async #json<Answer>(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await this.#ask(method, path, init)
    return (await response.json()) as Answer
  }

  async #ask(method: string, path: string, { headers, ...init }: RequestInit = {}): Promise<Response> {
    const authorization = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }
    let response: Response
    try {
      response = await fetch(`${this.url}/api/v1/${path}`, {
        method,
        dispatcher: this.#dispatcher,
        signal: this.#signal,
        headers: { accept: 'application/json', ...authorization, ...(headers as Record<string, string>) },
        ...init,
      })
    } catch (error) {
      if (this.#signal.aborted) throw error
      throw new CliError(EXIT.unreachable, `no answer from ${this.url}: ${reasonOf(error)}`)
    }
    if (!response.ok) throw await toError(response, this.url, this.#token !== undefined)
    return response
  }
}

function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new CliError(EXIT.usage, `'${excerpt(text)}' is no address: http://host:port or https://host:port`)
  }
  // Not shown: it would be the password of somebody.
  if (url.username !== '' || url.password !== '') {
    throw new CliError(EXIT.usage, 'the address has a user or a password in it, which the API does not know: it takes a token')
  }
  return text.replace(/\/+$/, '')
}

/** The token, of the file if there is one. What is none is not shown: part of it may be one. */
function tokenOf(file: string | undefined, variable: string | undefined): string | undefined {
  const token = file === undefined ? variable?.trim() || undefined : readText(file, 'the file with the token').trim()
  if (token === undefined || /^[A-Za-z0-9_-]+$/.test(token)) return token
  throw new CliError(
    EXIT.usage,
    `${file ?? 'WELLPOOL_TOKEN'} has something else than a token: one line, as 'wellpool token create' prints it`,
  )
}

async function toError(response: Response, url: string, withToken: boolean): Promise<CliError> {
  const text = await response.text()
  const problem = parse(text)
  const { title = `HTTP ${response.status}`, detail = '', code } = problem
  const exitCode =
    [401, 403].includes(response.status) && code !== 'EXECUTE_REFUSED' && code !== 'EXECUTE_OFF' ? EXIT.forbidden : EXIT.failed
  if (code === undefined) return new CliError(EXIT.unreachable, `${url} is something else than an agent: ${title}`)
  // What the server says is for who writes requests; who types commands gives a token in another way.
  if (code === 'UNAUTHORIZED' && !withToken) {
    const message = `${url} wants a token: name the file with yours in --token-file or WELLPOOL_TOKEN_FILE, or set WELLPOOL_TOKEN`
    return new CliError(exitCode, message, problem)
  }
  return new CliError(exitCode, detail === '' ? title : `${title}: ${detail}`, problem)
}

function parse(text: string): { title?: string; detail?: string; code?: string } {
  try {
    return JSON.parse(text) as { title?: string }
  } catch {
    return {}
  }
}

/** The innermost cause says most. */
function reasonOf(error: unknown): string {
  const { cause, message, errors } = error as { cause?: unknown; message?: string; errors?: readonly unknown[] }
  if (cause !== undefined) return reasonOf(cause)
  if (errors?.[0] !== undefined) return reasonOf(errors[0])
  return message ?? String(error)
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliError(EXIT.usage, `${what} can't be read: ${(error as Error).message}`)
  }
}
