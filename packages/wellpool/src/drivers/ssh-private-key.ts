import ssh2 from 'ssh2'

/** Opening a key with a passphrase takes long on purpose, and hundreds of devices have the same one. */
const opened = new Map<string, ssh2.ParsedKey>()
const MAX_OPENED = 16

/**
 * Reads a private key.
 *
 * @returns why it can't be used, if it can't; that shows nothing of the key
 */
export function readPrivateKey(text: string | Buffer, passphrase: string | undefined): ssh2.ParsedKey | string {
  const name = `${passphrase ?? ''}\0${text.toString('latin1')}`
  const before = opened.get(name)
  if (before !== undefined) return before
  // The types leave out that a file may hold several keys.
  const parsed: ssh2.ParsedKey | Error | readonly ssh2.ParsedKey[] = ssh2.utils.parseKey(text, passphrase)
  const key = Array.isArray(parsed) ? parsed[0] : (parsed as ssh2.ParsedKey | Error)
  if (key instanceof Error) return key.message
  if (!key.isPrivateKey()) return 'it is a public key'
  if (opened.size === MAX_OPENED) opened.clear()
  opened.set(name, key)
  return key
}
