import type { IncomingHttpHeaders } from 'node:http'
import { hostName, isLoopback } from './loopback.ts'

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']
/** Who adds these, or any that begins with x-forwarded, has passed on somebody else's request. */
const FORWARDED = new Set(['cf-connecting-ip', 'forwarded', 'true-client-ip', 'via', 'x-client-ip', 'x-real-ip'])

/**
 * Whether a web page of somebody else's may be behind a request: browsers say so. It can't read an answer, but it could
 * change something, or hold all places of those who follow the events. A link to here may stand on any page.
 *
 * @returns why it is refused; undefined if it is not
 */
export function crossSiteRefusal(method: string, headers: IncomingHttpHeaders): string | undefined {
  const isSafe = SAFE_METHODS.includes(method)
  const site = headers['sec-fetch-site']
  const isForeign = site !== undefined && site !== 'same-origin' && site !== 'none'
  if (isForeign && !(isSafe && headers['sec-fetch-dest'] === 'document')) {
    return `a page of another site asks for it (Sec-Fetch-Site: ${site})`
  }
  if (isSafe) return undefined
  const { origin, host } = headers
  if (origin !== undefined && (host === undefined || originHost(origin) !== host.toLowerCase())) {
    return 'a page of another site asks for it (Origin and Host differ)'
  }
  return undefined
}

/**
 * Where there are no tokens only this machine is answered. A page that has pointed its own name at this machine comes
 * from it, too, and so does what a proxy passes on.
 *
 * @returns why it is refused; undefined if it is not
 */
export function foreignRefusal(address: string | undefined, headers: IncomingHttpHeaders): string | undefined {
  if (address === undefined || !isLoopback(address)) return 'it comes from another machine'
  const proxy = Object.keys(headers).find((name) => FORWARDED.has(name) || name.startsWith('x-forwarded'))
  if (proxy !== undefined) return `a proxy has passed it on (${proxy})`
  const name = headers.host === undefined ? undefined : hostName(headers.host)
  if (name === undefined || !(name.toLowerCase() === 'localhost' || isLoopback(name))) return 'its Host is not this machine'
  return undefined
}

function originHost(origin: string): string | undefined {
  try {
    return new URL(origin).host
  } catch {
    return undefined
  }
}
