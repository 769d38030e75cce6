import ssh2 from 'ssh2'

/**
 * Which algorithms are offered to the peer, the best first. What is left out is offered as ssh2 does by itself.
 * Names that ssh2, or the OpenSSL beneath Node, does not have are refused when the driver is made.
 */
export interface SshAlgorithms {
  readonly kex?: readonly string[] | undefined
  readonly cipher?: readonly string[] | undefined
  readonly hmac?: readonly string[] | undefined
  readonly serverHostKey?: readonly string[] | undefined
  readonly compress?: readonly string[] | undefined
}

/** Behind the usual ones, what old devices have and nothing better. ssh2 leaves out what OpenSSL does not have. */
const LEGACY = {
  kex: { append: /^diffie-hellman-/ },
  cipher: { append: /-cbc$/ },
  hmac: { append: /^hmac-(?:md5|sha1)/ },
  serverHostKey: { append: 'ssh-dss' },
} as const

/** The names of signatures that a host with this type of key makes. */
const SIGNATURES: Readonly<Record<string, readonly string[]>> = { 'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] }

/** Kept as ssh2 takes it: its types leave out that each of these may be given alone, and as a pattern. */
type Given = ssh2.Algorithms

/**
 * What ssh2 is given.
 *
 * @param knownTypes the types of host keys that are known of the peer: they come first, so that a peer with several
 *   keys shows one that can be verified
 */
export function toSsh2Algorithms(algorithms: 'legacy' | SshAlgorithms | undefined, knownTypes: readonly string[]): Given | undefined {
  const given = { ...(algorithms === 'legacy' ? LEGACY : algorithms) } as Record<string, unknown>
  const preferred = knownTypes.flatMap((type) => SIGNATURES[type] ?? [type]).filter(isHostKeyAlgorithm)
  const asked = given.serverHostKey
  if (preferred.length > 0) {
    given.serverHostKey = Array.isArray(asked)
      ? [...preferred.filter((name) => asked.includes(name)), ...asked.filter((name) => !preferred.includes(name))]
      : // A name is put in front only where it does not stand already.
        { remove: preferred, prepend: preferred, ...(asked as object | undefined) }
  }
  return Object.keys(given).length === 0 ? undefined : (given as Given)
}

/** Why ssh2 does not take the algorithms; undefined if it does. */
export function refusalOf(algorithms: SshAlgorithms): string | undefined {
  try {
    // Without a user's name it goes no further than the algorithms, and makes no socket.
    new ssh2.Client().connect({ algorithms: algorithms as Given })
  } catch (error) {
    const { message } = error as Error
    return message.startsWith('Unsupported algorithm') ? message : undefined
  }
  return undefined
}

function isHostKeyAlgorithm(name: string): boolean {
  return refusalOf({ serverHostKey: [name] }) === undefined
}
