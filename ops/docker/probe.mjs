// node probe.mjs [/healthz | /readyz]: asks the agent of this container or Pod, and ends with 0 if it is well. Images
// have neither curl nor wget, and where the agent listens on 127.0.0.1 nobody outside could ask it.
//
// WELLPOOL_URL says where the agent is, as for the command. With TLS, name the certificate of its issuer in
// NODE_EXTRA_CA_CERTS, and a host that it is made out to.
const [, , path = '/healthz'] = process.argv
const url = new URL(path, process.env.WELLPOOL_URL ?? 'http://127.0.0.1:7710')

try {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) })
  const said = await response.text()
  if (!response.ok) {
    console.error(`${url} answers ${response.status}: ${said}`)
    process.exitCode = 1
  }
} catch (error) {
  const { message, cause } = /** @type {Error} */ (error)
  console.error(`${url} does not answer: ${cause instanceof Error ? cause.message : message}`)
  process.exitCode = 1
}
