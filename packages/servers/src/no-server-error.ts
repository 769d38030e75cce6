/** Nothing on this machine can serve: no program is found, and none can be installed. */
export class NoServerError extends Error {
  override readonly name = 'NoServerError'
}
