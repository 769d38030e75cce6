import { createHmac } from 'node:crypto'

/** A line of a `known_hosts` file that has a key. */
export interface KnownHost {
  /** The names as they stand in the file: patterns between commas, or one hashed name. */
  readonly names: string
  /** `ssh-ed25519`, … */
  readonly type: string
  /** The key, in the base64 of the file. */
  readonly key: string
  /** `revoked`, `cert-authority`, or none. */
  readonly marker?: string
  readonly file: string
  /** From 1. */
  readonly line: number
}

/** What {@link lookUp} says of a key that a host has shown. */
export type KnownHostVerdict =
  | { readonly kind: 'known' | 'revoked'; readonly entry: KnownHost }
  /** Other keys of the host are known, this one is not. */
  | { readonly kind: 'changed'; readonly entries: readonly KnownHost[] }
  | { readonly kind: 'unknown' }

/** The keys that a `known_hosts` file has. What is no such line is left out, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((content, index) => {
    const words = content.trim().split(/\s+/)
    if (words[0] === '' || words[0]?.startsWith('#')) return []
    const marker = words[0]?.startsWith('@') ? words.shift()?.slice(1) : undefined
    const [names, type, key] = words
    if (names === undefined || type === undefined || key === undefined) return []
    return [{ names, type, key, ...(marker === undefined ? {} : { marker }), file, line: index + 1 }]
  })
}

/** The name under which a host's keys stand: with its port unless that is 22. */
export function knownHostName(host: string, port: number): string {
  const name = host.toLowerCase()
  return port === 22 ? name : `[${name}]:${port}`
}

/** The entries for a name, revoked keys aside: those that say how the host is known. */
export function entriesOf(entries: readonly KnownHost[], name: string): KnownHost[] {
  return entries.filter((entry) => entry.marker === undefined && isFor(entry, name))
}

/**
 * Whether a key is one that is known of the host. A revoked key is refused whatever else the file says of it;
 * lines for certificate authorities say nothing about keys.
 *
 * @param name as {@link knownHostName} makes it
 * @param key in base64
 */
export function lookUp(entries: readonly KnownHost[], name: string, key: string): KnownHostVerdict {
  const revoked = entries.find((entry) => entry.marker === 'revoked' && entry.key === key && isFor(entry, name))
  if (revoked !== undefined) return { kind: 'revoked', entry: revoked }
  const known = entriesOf(entries, name)
  const entry = known.find((candidate) => candidate.key === key)
  if (entry !== undefined) return { kind: 'known', entry }
  return known.length === 0 ? { kind: 'unknown' } : { kind: 'changed', entries: known }
}

function isFor({ names }: KnownHost, name: string): boolean {
  if (names.startsWith('|1|')) return isHashOf(names, name)
  let found = false
  for (const pattern of names.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!')
    if (!matches(negated ? pattern.slice(1) : pattern, name)) continue
    // A name that is excluded stays so, whatever other patterns say.
    if (negated) return false
    found = true
  }
  return found
}

/** `|1|salt|hash`, as `ssh-keygen -H` writes it: HMAC-SHA1 of the name under the salt, both in base64. */
function isHashOf(names: string, name: string): boolean {
  const [, , salt, hash] = names.split('|')
  if (salt === undefined || hash === undefined) return false
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
}

/** `*` stands for any text, `?` for one character. */
function matches(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`).test(name)
}
