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
    const { code, errors } = source as { code?: unknown; errors?: unknown }
    // Node's error for a host with several addresses has no message of its own, but one for each of them.
    const message = source.message || (Array.isArray(errors) ? errors.map((each) => each.message).join('; ') : (code ?? source.name))
    const copy: Error & { code?: unknown } = new Error(maskSecrets(String(message), secrets))
    copy.name = String(source.name)
    copy.stack = maskSecrets(String(source.stack), secrets)
    if (typeof code === 'string') copy.code = maskSecrets(code, secrets)
    else if (typeof code === 'number') copy.code = code
    return copy
  } catch {
    // An error whose own properties throw.
    return new Error('an unreadable error')
  }
}
