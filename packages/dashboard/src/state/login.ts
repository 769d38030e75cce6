import { type Signal, signal } from '@preact/signals'
import type { Calls } from '../api/calls.ts'
import { type Client, mayBeToken, RefusedError } from '../api/client.ts'
import type { Role, Session } from '../api/contract.ts'

/** Why somebody is not let in. */
export type LoginProblem =
  | { readonly kind: 'empty' | 'malformed' | 'unreachable' | 'ended' }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'too-many'; readonly until: number }
  | { readonly kind: 'may-not-view'; readonly name: string; readonly roles: readonly Role[] }

/** Where somebody stands. */
export type Stage =
  | { readonly kind: 'asking' }
  /** The agent wants a token. */
  | { readonly kind: 'login'; readonly problem: LoginProblem | undefined; readonly asking: boolean }
  /** It would not help to log in. */
  | { readonly kind: 'shut'; readonly problem: LoginProblem }
  | { readonly kind: 'in'; readonly session: Session }

/** Where the token is kept. `sessionStorage` fits: it is of this tab alone, and ends with it. */
export type TokenStore = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

const KEY = 'wellpool.token'
const DEFAULT_WAIT_S = 60

/** Lets somebody in. */
export class Login {
  readonly stage: Signal<Stage> = signal({ kind: 'asking' })
  readonly #client: Client
  readonly #calls: Calls
  readonly #store: TokenStore

  constructor(client: Client, calls: Calls, store: TokenStore) {
    this.#client = client
    this.#calls = calls
    this.#store = store
  }

  /** Asks whether a token is needed, or whether the one that is kept is still good. */
  async begin(): Promise<void> {
    // Who is told that the agent does not answer goes on reading that until it does.
    if (this.stage.peek().kind !== 'shut') this.stage.value = { kind: 'asking' }
    const kept = this.#store.getItem(KEY) ?? undefined
    this.#client.token = kept
    try {
      this.#enter(await this.#calls.session())
    } catch (error) {
      const problem = problemOf(error)
      if (error instanceof RefusedError && error.status === 401) {
        this.#forget()
        this.#ask(kept === undefined ? undefined : { kind: 'ended' })
      } else if (problem.kind === 'too-many') this.#ask(problem)
      else this.stage.value = { kind: 'shut', problem }
    }
  }

  async submit(text: string): Promise<void> {
    const token = text.trim()
    if (token === '') return this.#ask({ kind: 'empty' })
    if (!mayBeToken(token)) return this.#ask({ kind: 'malformed' })
    this.stage.value = { kind: 'login', problem: undefined, asking: true }
    this.#client.token = token
    try {
      const session = await this.#calls.session()
      if (mayView(session)) this.#store.setItem(KEY, token)
      this.#enter(session)
    } catch (error) {
      this.#client.token = undefined
      this.#ask(problemOf(error))
    }
  }

  logout(): void {
    this.#forget()
    this.#ask(undefined)
  }

  /** The agent has refused what it took until now. */
  refused(error: RefusedError): void {
    if (error.status !== 401) {
      this.stage.value = { kind: 'shut', problem: problemOf(error) }
      return
    }
    this.#forget()
    this.#ask({ kind: 'ended' })
  }

  #enter(session: Session): void {
    if (mayView(session)) {
      this.stage.value = { kind: 'in', session }
      return
    }
    this.#forget()
    this.#ask({ kind: 'may-not-view', name: session.name, roles: session.roles })
  }

  #ask(problem: LoginProblem | undefined): void {
    this.stage.value = { kind: 'login', problem, asking: false }
  }

  #forget(): void {
    this.#store.removeItem(KEY)
    this.#client.token = undefined
  }
}

/** Whether somebody may step in. */
export function maySteer({ roles }: Session): boolean {
  return roles.includes('operator')
}

const mayView = ({ roles }: Session): boolean => roles.includes('viewer') || roles.includes('operator')

function problemOf(error: unknown): LoginProblem {
  if (!(error instanceof RefusedError)) return { kind: 'unreachable' }
  if (error.status !== 429) return { kind: 'refused', detail: error.message }
  return { kind: 'too-many', until: Date.now() + (error.retryAfterS ?? DEFAULT_WAIT_S) * 1000 }
}
