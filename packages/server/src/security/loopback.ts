import { BlockList, isIP } from 'node:net'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')
LOOPBACK.addSubnet('::ffff:127.0.0.0', 104, 'ipv6')

/** What is asked for with nearly every request. */
const USUAL = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])

/** Whether an address is this machine's own, which no other machine can reach. */
export function isLoopback(address: string): boolean {
  if (USUAL.has(address)) return true
  const version = isIP(address)
  return version !== 0 && LOOPBACK.check(address, version === 6 ? 'ipv6' : 'ipv4')
}

/** Whether the name or address to listen on is reached from this machine alone. */
export function listensOnLoopback(host: string): boolean {
  return host === 'localhost' || isLoopback(host)
}

/**
 * What is wrong with a host to listen on where no tokens are needed.
 *
 * @param setting what the setting with the tokens is called
 * @returns undefined when nothing is
 */
export function openToAll(host: string, setting: string): { readonly given: string; readonly allowed: string } | undefined {
  if (listensOnLoopback(host)) return undefined
  const allowed = `127.0.0.1; with ${setting} any address: without tokens everybody who reaches it could steer the pools ('wellpool token create')`
  return { given: `'${host}' without tokens`, allowed }
}

/** The name in a `Host` header, without the port. */
export function hostName(header: string): string | undefined {
  return /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\\@\s]+))(?::\d{1,5})?$/
    .exec(header)
    ?.slice(1)
    .find((part) => part !== undefined)
}
