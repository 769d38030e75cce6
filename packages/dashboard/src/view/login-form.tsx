import { useLayoutEffect, useRef } from 'preact/hooks'
import type { LoginProblem, Stage } from '../state/login.ts'
import type { Dictionary } from '../text/index.ts'
import { useApp, useText } from './context.ts'

/** Asks for a token. */
export function LoginForm({ stage: { problem, asking } }: { readonly stage: Extract<Stage, { kind: 'login' }> }) {
  const app = useApp()
  const text = useText()
  const input = useRef<HTMLInputElement>(null)
  // Read, so that this is drawn anew as time passes; it may be half a second behind.
  app.model.now.value
  const wait = problem?.kind === 'too-many' ? Math.max(0, Math.ceil((problem.until - Date.now()) / 1000)) : 0
  useLayoutEffect(() => input.current?.focus(), [])
  return (
    <form
      class="login panel"
      onSubmit={(event) => {
        event.preventDefault()
        if (wait === 0 && !asking) void app.login.submit(input.current?.value ?? '')
      }}
    >
      <h1>{text.login.title}</h1>
      <p class="muted">{text.login.intro}</p>
      {/* Browsers offer to keep a password together with a name. */}
      <input type="text" name="username" autocomplete="username" value="wellpool" hidden readOnly />
      <label for="token">{text.login.token}</label>
      <input
        id="token"
        ref={input}
        type="password"
        name="token"
        autocomplete="current-password"
        spellcheck={false}
        aria-describedby="token-hint login-problem"
        aria-invalid={problem !== undefined && problem.kind !== 'ended'}
      />
      <p id="token-hint" class="muted small">
        {text.login.tokenHint}
      </p>
      <p id="login-problem" class="error-text" role="alert">
        {problem !== undefined && sentenceOf(problem, wait, text)}
      </p>
      <button type="submit" class="primary" disabled={asking || wait > 0}>
        {asking ? text.login.checking : text.login.submit}
      </button>
      <p class="muted small">
        {text.login.how} <code>wellpool token create</code>
      </p>
    </form>
  )
}

/** The agent answers nobody here, or not at all. */
export function Shut({ problem }: { readonly problem: LoginProblem }) {
  const app = useApp()
  const text = useText()
  return (
    <section class="login panel" role="alert">
      <h1>{problem.kind === 'unreachable' ? text.login.unreachable : text.login.refusedHere}</h1>
      {problem.kind === 'refused' && <p>{problem.detail}</p>}
      <button type="button" class="primary" onClick={() => void app.login.begin()}>
        {text.login.tryAgain}
      </button>
    </section>
  )
}

function sentenceOf(problem: LoginProblem, wait: number, { login, roles }: Dictionary): string {
  switch (problem.kind) {
    case 'empty':
      return login.empty
    case 'malformed':
      return login.malformed
    case 'unreachable':
      return login.unreachable
    case 'ended':
      return login.ended
    case 'refused':
      return `${login.refused} ${problem.detail}`
    case 'too-many':
      return wait > 0 ? login.tooMany(wait) : login.mayTryAgain
    case 'may-not-view':
      return login.mayNotView(problem.name, problem.roles.map((role) => roles[role]).join(', '))
  }
}
