import type { IncomingHttpHeaders } from 'node:http'
import { hostName, isLoopback } from './loopback.ts'

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']
/** Who adds these has passed on somebody else's request. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via']

/**
 * Whether a web page of somebody else's may be behind a request that changes something: browsers say so.
 *
 * @returns why it is refused; undefined if it is not
 */
export function crossSiteRefusal(method: string, headers: IncomingHttpHeaders): string | undefined {
  if (SAFE_METHODS.includes(method)) return undefined
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return `a page of another site asks for it (Sec-Fetch-Site: ${site})`
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
  const proxy = FORWARDED.find((name) => headers[name] !== undefined)
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
