const MASK = '***'
/** The password in a URL such as postgres://user:password@host. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@/]+(@)/gi

/** Replaces known secrets, and the passwords in URLs, by `***`. */
export function maskSecrets(text: string, secrets: readonly string[]): string {
  let masked = text.replaceAll(URL_PASSWORD, `$1${MASK}$2`)
  for (const secret of secrets) {
    // A driver may hand over what is not there.
    if (typeof secret === 'string' && secret !== '') masked = masked.replaceAll(secret, MASK)
  }
  return masked
}

/**
 * Copies an error from a driver so that it can be shown: name, message, code and stack, secrets masked, and
 * nothing else that the driver may have attached. Whatever was thrown, an Error comes out.
 */
export function copyError(error: unknown, secrets: readonly string[]): Error {
  try {
    const source =
      error instanceof Error ? error : new Error(typeof error === 'string' ? error : `not an Error was thrown: ${typeof error}`)
    const copy = new Error(maskSecrets(String(source.message), secrets))
    copy.name = String(source.name)
    copy.stack = maskSecrets(String(source.stack), secrets)
    const { code } = source as { code?: unknown }
    if (typeof code === 'string' || typeof code === 'number')
      Object.assign(copy, { code: typeof code === 'string' ? maskSecrets(code, secrets) : code })
    return copy
  } catch {
    // An error whose own properties throw.
    return new Error('an unreadable error')
  }
}
