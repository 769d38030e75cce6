import type { ErrorClass } from '../engine/driver.ts'

/** Of Node and the system: the socket is dead. A refused connect is none of them: that was not our socket. */
const DEAD_SOCKET =
  /^(E(CONNABORTED|CONNRESET|HOSTDOWN|HOSTUNREACH|NETDOWN|NETRESET|NETUNREACH|NOTCONN|PIPE|SHUTDOWN|TIMEDOUT)|ERR_SOCKET_CLOSED|ERR_STREAM_.*)$/

/**
 * Of Node: the certificates, or what the two sides ask of each other, don't fit, and won't at the next try; or a key or
 * a certificate of one's own can't be read.
 */
const TLS_MISMATCH = /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/

/** How many causes deep an error is looked into: query builders wrap what client libraries throw. */
const MAX_DEPTH = 5

/** Whether an error's code says that the socket which it came over is of no more use. */
export function isDeadSocket(code: unknown): boolean {
  return typeof code === 'string' && DEAD_SOCKET.test(code)
}

/** Whether an error's code says that a TLS handshake can't succeed with what both sides have. */
export function isTlsMismatch(code: unknown): boolean {
  return typeof code === 'string' && TLS_MISMATCH.test(code)
}

/**
 * The first class that is found for an error or for one of its causes; `transient` if none is, as for whatever is
 * no Error.
 *
 * @param find says what one error means, its causes left aside; undefined if it does not know the error.
 */
export function classifyCauses(error: unknown, find: (error: Error) => ErrorClass | undefined): ErrorClass {
  let inner = error
  for (let depth = 0; depth < MAX_DEPTH && inner instanceof Error; depth++) {
    const found = find(inner)
    if (found !== undefined) return found
    inner = inner.cause
  }
  return 'transient'
}
