const MASK = '***'
/** What is called so is secret; the name of a file is not. */
const SECRET_NAME = /pass(?:word|phrase|wd)?$|(?:secret|token|credential|authorization)(?!.*_file$)|(?:^|_)key$/i
/** The password in a URL such as postgres://user:password@host. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@]+(@)/gi
const ONLY_REFERENCES = /^(?:\$\{[^}]*\})+$/

const CONTROL = /\p{Cc}+/gu
const LONGEST = 60

/** A text for a message: without what steers terminals, without passwords in addresses, and not all of a long one. */
export function excerpt(text: string): string {
  const masked = text.replaceAll(URL_PASSWORD, `$1${MASK}$2`).replaceAll(CONTROL, ' ')
  return masked.length <= LONGEST ? masked : `${masked.slice(0, LONGEST)}…`
}

/**
 * A tree that can be shown: what is secret by its name, by its place in an address, or because a driver says so, is
 * masked. References such as `${PASSWORD}` are shown as they stand.
 */
export function mask(value: unknown, secrets: readonly string[], name = ''): unknown {
  if (typeof value === 'string') {
    if (ONLY_REFERENCES.test(value)) return value
    if (SECRET_NAME.test(name)) return MASK
    return secrets
      .filter((secret) => secret !== '')
      .reduce((text, secret) => text.replaceAll(secret, MASK), value.replaceAll(URL_PASSWORD, `$1${MASK}$2`))
  }
  if (Array.isArray(value)) return value.map((item) => mask(item, secrets, name))
  if (value === null || typeof value !== 'object') return SECRET_NAME.test(name) && value !== null ? MASK : value
  return Object.fromEntries(Object.entries(value).map(([inner, item]) => [inner, mask(item, secrets, inner)]))
}
