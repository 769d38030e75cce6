import { createPrivateKey, X509Certificate } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { openToAll } from '../security/loopback.ts'
import { readTokens } from '../security/token-file.ts'
import type { ServerConfig } from './config.ts'
import type { PathProblem } from './substitute.ts'

/** What everybody could do who reaches an agent that needs no tokens. */
export function checkHost({ host, tokensFile }: ServerConfig): PathProblem[] {
  const problem = tokensFile === undefined ? openToAll(host, 'tokens_file') : undefined
  return problem === undefined ? [] : [{ path: ['server', 'host'], ...problem }]
}

/** The files that an agent needs in order to listen, as this machine has them. */
export function checkFiles({ tls, tokensFile, auditLog }: ServerConfig): PathProblem[] {
  return [
    ...(tls === undefined ? [] : checkTls(tls)),
    ...(tokensFile === undefined
      ? []
      : tried('tokens_file', 'a file that wellpool token create has written', () => readTokens(tokensFile))),
    ...(auditLog === undefined
      ? []
      : tried('audit_log', 'a file that can be appended to', () => accessSync(whatIsWritten(auditLog), constants.W_OK))),
  ]
}

function checkTls({ certFile, keyFile }: NonNullable<ServerConfig['tls']>): PathProblem[] {
  let certificate: X509Certificate | undefined
  return [
    ...tried('tls.cert_file', 'a certificate in PEM', () => {
      certificate = new X509Certificate(readFileSync(certFile))
    }),
    ...tried('tls.key_file', 'the private key of the certificate in PEM, without a passphrase', () => {
      const key = createPrivateKey(readFileSync(keyFile))
      if (certificate?.checkPrivateKey(key) === false) throw new Error('the key of another certificate')
    }),
  ]
}

/** A file that is not there yet is made in its folder. */
const whatIsWritten = (file: string): string => (existsSync(file) ? file : path.dirname(file))

function tried(option: string, allowed: string, attempt: () => unknown): PathProblem[] {
  try {
    attempt()
    return []
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    // OpenSSL's words are for those who know its parts by name.
    const given = code.startsWith('ERR_OSSL') ? 'a file that is none' : message.replace(/^E[A-Z]+: /, '')
    return [{ path: ['server', ...option.split('.')], given, allowed }]
  }
}
