import { describe, expect, it } from 'vitest'
import { entriesOf, knownHostName, lookUp, parseKnownHosts } from '../../src/drivers/ssh-known-hosts.ts'

// Made with ssh-keygen, and hashed with ssh-keygen -H.
const KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIK8BKhmlqaxHw93QZ7KcZtA3Y7xDNduhleAmBNSpU03g'
const OTHER =
  'AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGbTauGfYYWHcmBdjzaxNo37SImTUMTEPhXCPsYOtqDLJj4yZXiPYbKJMwUGR7J7/Xsp3tYmGA965SWFUwygdFc='
const HASHED = [
  `|1|tf/a7Aq54u90ZPMTY86kQbWM8A8=|N9Zy4K6E4MJb8PfJwp06bQLT9Ys= ssh-ed25519 ${KEY}`,
  `|1|ystqNHM7b2B5GgldCL4rNVtkE4k=|zhIDGXABhslieVHmyxPa+Q1lGMQ= ssh-ed25519 ${KEY}`,
].join('\n')

const verdict = (file: string, host: string, port = 22, key = KEY): string =>
  lookUp(parseKnownHosts(file, 'known_hosts'), knownHostName(host, port), key).kind

describe('parseKnownHosts', () => {
  it('takes the lines with a key, with their numbers, and nothing else', () => {
    const text = `# a comment\n\n  router-17 ssh-ed25519 ${KEY} a comment\n@revoked *.lab ssh-ed25519 ${KEY}\nhalf ssh-ed25519\n`
    expect(parseKnownHosts(text, 'f')).toEqual([
      { names: 'router-17', type: 'ssh-ed25519', key: KEY, file: 'f', line: 3 },
      { names: '*.lab', type: 'ssh-ed25519', key: KEY, marker: 'revoked', file: 'f', line: 4 },
    ])
  })

  it('takes files with line ends of Windows', () => {
    expect(verdict(`router-17 ssh-ed25519 ${KEY}\r\n`, 'router-17')).toBe('known')
  })
})

describe('lookUp', () => {
  it.each([
    [`router-17 ssh-ed25519 ${KEY}`, 'router-17', 22, 'known'],
    [`router-17 ssh-ed25519 ${KEY}`, 'ROUTER-17', 22, 'known'],
    [`Router-17 ssh-ed25519 ${KEY}`, 'router-17', 22, 'known'],
    [`router-16,router-17,10.0.0.17 ssh-ed25519 ${KEY}`, '10.0.0.17', 22, 'known'],
    [`[router-17]:2222 ssh-ed25519 ${KEY}`, 'router-17', 2222, 'known'],
    // A key of the usual port says nothing about another one, and the other way round.
    [`router-17 ssh-ed25519 ${KEY}`, 'router-17', 2222, 'unknown'],
    [`[router-17]:2222 ssh-ed25519 ${KEY}`, 'router-17', 22, 'unknown'],
    [`*.example.net ssh-ed25519 ${KEY}`, 'r1.example.net', 22, 'known'],
    [`*.example.net ssh-ed25519 ${KEY}`, 'example.net', 22, 'unknown'],
    [`r?.example.net ssh-ed25519 ${KEY}`, 'r1.example.net', 22, 'known'],
    [`r?.example.net ssh-ed25519 ${KEY}`, 'r12.example.net', 22, 'unknown'],
    // A dot is a dot.
    [`r*.net ssh-ed25519 ${KEY}`, 'rxnet', 22, 'unknown'],
    [`*.net,!bad.net ssh-ed25519 ${KEY}`, 'bad.net', 22, 'unknown'],
    [`!bad.net,*.net ssh-ed25519 ${KEY}`, 'bad.net', 22, 'unknown'],
    [`*.net,!bad.net ssh-ed25519 ${KEY}`, 'good.net', 22, 'known'],
    [HASHED, 'router-17', 22, 'known'],
    [HASHED, '10.0.0.1', 2222, 'known'],
    [HASHED, 'router-18', 22, 'unknown'],
    [HASHED, '10.0.0.1', 22, 'unknown'],
    ['', 'router-17', 22, 'unknown'],
  ])('in %j %s:%i is %s', (file, host, port, kind) => {
    expect(verdict(file, host, port)).toBe(kind)
  })

  it('knows a host by each of several keys', () => {
    const file = `router-17 ecdsa-sha2-nistp256 ${OTHER}\nrouter-17 ssh-ed25519 ${KEY}`
    expect(verdict(file, 'router-17')).toBe('known')
    expect(verdict(file, 'router-17', 22, OTHER)).toBe('known')
  })

  it('calls a key changed where others are known, and says where they stand', () => {
    const entries = parseKnownHosts(`\nrouter-17 ecdsa-sha2-nistp256 ${OTHER}`, 'f')
    expect(lookUp(entries, 'router-17', KEY)).toMatchObject({ kind: 'changed', entries: [{ file: 'f', line: 2 }] })
  })

  it('refuses a revoked key, whatever else stands in the file', () => {
    const file = `router-17 ssh-ed25519 ${KEY}\n@revoked * ssh-ed25519 ${KEY}`
    expect(verdict(file, 'router-17')).toBe('revoked')
    expect(verdict(`@revoked other ssh-ed25519 ${KEY}\nrouter-17 ssh-ed25519 ${KEY}`, 'router-17')).toBe('known')
  })

  it('takes a certificate authority for no key of the host', () => {
    expect(verdict(`@cert-authority * ssh-ed25519 ${KEY}`, 'router-17')).toBe('unknown')
  })
})

describe('entriesOf', () => {
  it('gives the keys by which a host is known', () => {
    const file = `a,b ecdsa-sha2-nistp256 ${OTHER}\nb ssh-ed25519 ${KEY}\n@revoked b ssh-ed25519 ${OTHER}`
    expect(entriesOf(parseKnownHosts(file, 'f'), 'b').map(({ type }) => type)).toEqual(['ecdsa-sha2-nistp256', 'ssh-ed25519'])
  })
})
