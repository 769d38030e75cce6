import ssh2 from 'ssh2'
import type { DeviceAuthentication, DeviceOptions, DeviceUser } from './options.ts'

type Question = NonNullable<DeviceOptions['questions']>[number]

/** Decides who may log in to a device. */
export class DeviceLogin {
  readonly #users: readonly DeviceUser[]
  readonly #ways: readonly DeviceAuthentication[]
  readonly #questions: readonly Question[] | undefined

  constructor({ users = [{ name: 'admin', password: 'admin' }], authentication = ['password', 'publickey'], questions }: DeviceOptions) {
    this.#users = users
    this.#ways = authentication
    this.#questions = questions
  }

  /** Answers one try. */
  decide(attempt: ssh2.AuthContext): void {
    const user = this.#users.find(({ name }) => name === attempt.username)
    const offered = this.#ways.filter((way) => way !== 'none')
    if (user === undefined || !this.#ways.includes(attempt.method as DeviceAuthentication)) attempt.reject(offered)
    else if (attempt.method === 'keyboard-interactive') this.#ask(attempt, user, offered)
    else if (isRight(attempt, user)) attempt.accept()
    else attempt.reject(offered)
  }

  #ask(attempt: ssh2.KeyboardAuthContext, user: DeviceUser, offered: DeviceAuthentication[]): void {
    const questions = this.#questions ?? [{ prompt: 'Password: ', answer: user.password ?? '' }]
    const prompts = questions.map(({ prompt, echo = false }) => ({ prompt, echo }))
    attempt.prompt(prompts, (answers) => {
      if (questions.every(({ answer }, index) => answers[index] === answer)) attempt.accept()
      else attempt.reject(offered)
    })
  }
}

function isRight(attempt: ssh2.AuthContext, user: DeviceUser): boolean {
  if (attempt.method === 'none') return true
  if (attempt.method === 'password') return user.password !== undefined && attempt.password === user.password
  return attempt.method === 'publickey' && holdsKey(attempt, user)
}

/** Without a signature somebody asks whether the key would do. */
function holdsKey({ key, blob, signature, hashAlgo }: ssh2.PublicKeyAuthContext & { hashAlgo?: string }, user: DeviceUser): boolean {
  const known = user.publicKey === undefined ? undefined : ssh2.utils.parseKey(user.publicKey)
  if (known === undefined || known instanceof Error || !known.getPublicSSH().equals(key.data)) return false
  return signature === undefined || blob === undefined || known.verify(blob, signature, hashAlgo)
}
