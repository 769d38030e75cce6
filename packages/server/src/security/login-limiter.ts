import { isIPv6 } from 'node:net'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

/** Wrong tokens from one address for one token's id, or without one, within a minute. */
const MAX_FAILURES = 10
/** Wrong tokens from one address in all within a minute. */
const MAX_FAILURES_PER_ADDRESS = 50
const WINDOW_S = 60

/**
 * Slows down who tries tokens. What counts is failures by address and by the token that they claim: neighbours behind
 * the same address, with tokens of their own, get in.
 */
export class LoginLimiter {
  readonly #byToken = new RateLimiterMemory({ points: MAX_FAILURES, duration: WINDOW_S, blockDuration: WINDOW_S })
  readonly #byAddress = new RateLimiterMemory({ points: MAX_FAILURES_PER_ADDRESS, duration: WINDOW_S })

  /** @returns for how many seconds no more tries are taken; 0 when they are */
  async blockedFor(address: string, tokenId: string | undefined): Promise<number> {
    const found = await this.#byToken.get(keyOf(address, tokenId))
    return found !== null && found.remainingPoints <= 0 && found.consumedPoints > MAX_FAILURES ? Math.ceil(found.msBeforeNext / 1000) : 0
  }

  /** Counts a failure. @returns as `blockedFor` */
  async failed(address: string, tokenId: string | undefined): Promise<number> {
    // What is over the limit of an address is not counted by token: made-up ones would fill the memory.
    const wait = await consume(this.#byAddress, network(address))
    return wait > 0 ? wait : consume(this.#byToken, keyOf(address, tokenId))
  }
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<number> {
  try {
    await limiter.consume(key)
    return 0
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return Math.ceil(refusal.msBeforeNext / 1000)
    throw refusal
  }
}

const keyOf = (address: string, tokenId: string | undefined): string => `${network(address)} ${tokenId ?? ''}`

/** Who has one IPv6 address has 2^64. */
function network(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address
  const [head = '', tail] = address.split('::')
  const front = head === '' ? [] : head.split(':')
  const groups =
    tail === undefined
      ? front
      : [...front, ...Array<string>(Math.max(0, 8 - front.length - tail.split(':').length)).fill('0'), ...tail.split(':')]
  return groups.slice(0, 4).join(':')
}
