import type { FastifyRequest } from 'fastify'
import { ApiProblem } from '../api/problem.ts'
import { LoginLimiter } from './login-limiter.ts'
import { ANONYMOUS, type Identity } from './roles.ts'
import { crossSiteRefusal, foreignRefusal } from './same-site.ts'
import { hasExpired, identify, type TokenRecord, tokenId } from './tokens.ts'

const BEARER = /^Bearer +([A-Za-z0-9_-]{1,200})$/i

/** Finds out who is asking. */
export class Authenticator {
  readonly #tokens: (() => readonly TokenRecord[]) | undefined
  readonly #limiter = new LoginLimiter()

  /** @param tokens those that let somebody in; undefined: this machine is answered without, and no other */
  constructor(tokens: (() => readonly TokenRecord[]) | undefined) {
    this.#tokens = tokens
  }

  get tokensNeeded(): boolean {
    return this.#tokens !== undefined
  }

  /** @throws ApiProblem when the request is not to be answered */
  async authenticate({ method, headers, socket }: FastifyRequest): Promise<Identity> {
    const crossSite = crossSiteRefusal(method, headers)
    if (crossSite !== undefined) throw new ApiProblem('CROSS_SITE', crossSite)
    if (this.#tokens === undefined) {
      const foreign = foreignRefusal(socket.remoteAddress, headers)
      if (foreign !== undefined) {
        throw new ApiProblem(
          'NOT_THIS_MACHINE',
          `without tokens only this machine is answered, and ${foreign}; see 'wellpool token create'`,
        )
      }
      return ANONYMOUS
    }
    const text = BEARER.exec(headers.authorization ?? '')?.[1]
    if (text === undefined) {
      throw new ApiProblem(
        'UNAUTHORIZED',
        'the header Authorization has to be: Bearer and a token',
        {},
        { 'www-authenticate': 'Bearer realm="wellpool"' },
      )
    }
    return this.#check(text, socket.remoteAddress ?? '', this.#tokens())
  }

  /** Whether who was let in before would be let in now: a token may be revoked, and expire. */
  stillValid({ tokenId: id }: Identity): boolean {
    if (this.#tokens === undefined) return true
    const record = this.#tokens().find((candidate) => candidate.id === id)
    return record !== undefined && !hasExpired(record, new Date())
  }

  async #check(text: string, address: string, tokens: readonly TokenRecord[]): Promise<Identity> {
    const id = tokenId(text)
    const blocked = await this.#limiter.blockedFor(address, id)
    if (blocked > 0) throw tooMany(blocked)
    const identity = identify(text, tokens, new Date())
    if (identity !== undefined) return identity
    const wait = await this.#limiter.failed(address, id)
    if (wait > 0) throw tooMany(wait)
    const header = { 'www-authenticate': 'Bearer realm="wellpool", error="invalid_token"' }
    throw new ApiProblem('UNAUTHORIZED', 'this token is unknown, was revoked or has expired', {}, header)
  }
}

function tooMany(seconds: number): ApiProblem {
  return new ApiProblem(
    'TOO_MANY_FAILURES',
    `too many wrong tokens; the next try is taken in ${seconds} s`,
    {},
    { 'retry-after': String(seconds) },
  )
}
