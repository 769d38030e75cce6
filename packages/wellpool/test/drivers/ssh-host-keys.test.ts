import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SshError } from '../../src/drivers/ssh-errors.ts'
import { defaultKnownHosts, fingerprintOf, type HostKey, HostKeyChecker, type HostKeyPolicy } from '../../src/drivers/ssh-host-keys.ts'

// Made with ssh-keygen; the fingerprints are those that ssh-keygen -l shows.
const ED25519 = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIK8BKhmlqaxHw93QZ7KcZtA3Y7xDNduhleAmBNSpU03g', 'base64')
const ED25519_FINGERPRINT = 'SHA256:MeJTEC2I1OooHSPEGDZwm+mv1tI7zdsc/zYU6SaDj8A'
const ECDSA = Buffer.from(
  'AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGbTauGfYYWHcmBdjzaxNo37SImTUMTEPhXCPsYOtqDLJj4yZXiPYbKJMwUGR7J7/Xsp3tYmGA965SWFUwygdFc=',
  'base64',
)
const ECDSA_FINGERPRINT = 'SHA256:7tjcF59rvlMr1jpu//Lkn/ZzolLx058qo3RkJWzJYFE'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'wellpool-host-keys-'))
})
afterAll(() => rm(folder, { recursive: true }))

const file = async (name: string, text: string): Promise<string> => {
  const at = path.join(folder, name)
  await writeFile(at, text)
  return at
}

/** What a checker says of a key: nothing when it is trusted. */
const refusalOf = async (policy: HostKeyPolicy, key = ED25519, port = 22): Promise<string | undefined> => {
  const checker = new HostKeyChecker('router-17', port, policy)
  await checker.prepare()
  try {
    await checker.check(key)
    return undefined
  } catch (error) {
    if (!(error instanceof SshError)) throw error
    expect(error.code).toBe('SSH_HOST_KEY')
    expect(error.message).toContain(`router-17:${port}`)
    return error.message
  }
}

describe('fingerprintOf', () => {
  it('is what ssh-keygen shows', () => {
    expect(fingerprintOf(ED25519)).toBe(ED25519_FINGERPRINT)
    expect(fingerprintOf(ECDSA)).toBe(ECDSA_FINGERPRINT)
  })
})

describe('a fingerprint', () => {
  it('trusts its key and no other, and says what was shown and what is expected', async () => {
    expect(await refusalOf(ED25519_FINGERPRINT)).toBeUndefined()
    const refusal = await refusalOf(ED25519_FINGERPRINT, ECDSA)
    expect(refusal).toContain(`${ECDSA_FINGERPRINT} (ecdsa-sha2-nistp256)`)
    expect(refusal).toContain(`expected is ${ED25519_FINGERPRINT}`)
  })

  it('may be one of several', async () => {
    expect(await refusalOf([ED25519_FINGERPRINT, ECDSA_FINGERPRINT], ECDSA)).toBeUndefined()
  })
})

describe('a function', () => {
  it('is given the key, and trusts it by returning true, at once or later', async () => {
    const seen: HostKey[] = []
    expect(await refusalOf((key) => seen.push(key) > 0)).toBeUndefined()
    expect(await refusalOf(async () => true)).toBeUndefined()
    expect(seen).toEqual([{ host: 'router-17', port: 22, type: 'ssh-ed25519', fingerprint: ED25519_FINGERPRINT, data: ED25519 }])
  })

  it.each([false, undefined, 'yes', 1])('refuses by returning %j', async (answer) => {
    expect(await refusalOf((() => answer) as () => boolean)).toContain('the function given as hostKey refuses it')
  })

  it('that fails fails the check with its own error', async () => {
    const failure = new Error('the vault is sealed')
    await expect(refusalOf(() => Promise.reject(failure))).rejects.toBe(failure)
  })
})

describe('accept-any-insecure', () => {
  it('trusts every key', async () => {
    expect(await refusalOf('accept-any-insecure')).toBeUndefined()
    expect(await refusalOf('accept-any-insecure', ECDSA)).toBeUndefined()
  })
})

describe('known_hosts', () => {
  it('trusts a key that stands in one of several files', async () => {
    const empty = await file('empty', '')
    const known = await file('known', `router-17 ssh-ed25519 ${ED25519.toString('base64')}\n`)
    expect(await refusalOf({ knownHosts: known })).toBeUndefined()
    expect(await refusalOf({ knownHosts: [empty, path.join(folder, 'not there'), known] })).toBeUndefined()
  })

  it('says of a changed key where the old one stands and how to remove it', async () => {
    const known = await file('changed', `# \n[router-17]:2222 ssh-ed25519 ${ED25519.toString('base64')}\n`)
    const refusal = await refusalOf({ knownHosts: known }, ECDSA, 2222)
    expect(refusal).toContain(`ssh-ed25519 in ${known}, line 2`)
    expect(refusal).toContain(`ssh-keygen -R '[router-17]:2222'`)
  })

  it('says of an unknown key where it was looked for and how to add it', async () => {
    const known = await file('unknown', '')
    expect(await refusalOf({ knownHosts: known })).toContain(`it is not in ${known}`)
    expect(await refusalOf({ knownHosts: known }, ED25519, 2222)).toContain('ssh-keyscan -p 2222 router-17')
    expect(await refusalOf({ knownHosts: path.join(folder, 'not there') })).toContain('there is no known_hosts file')
  })

  it('says of a revoked key where it is revoked', async () => {
    const known = await file('revoked', `@revoked * ssh-ed25519 ${ED25519.toString('base64')}\n`)
    expect(await refusalOf({ knownHosts: known })).toContain(`it is revoked by ${known}, line 1`)
  })

  it('is read again when it changes', async () => {
    const known = await file('growing', '')
    expect(await refusalOf({ knownHosts: known })).toBeDefined()
    await file('growing', `router-17 ssh-ed25519 ${ED25519.toString('base64')}\n`)
    expect(await refusalOf({ knownHosts: known })).toBeUndefined()
  })

  it('that cannot be read fails the check', async () => {
    await expect(refusalOf({ knownHosts: folder })).rejects.toMatchObject({ code: 'EISDIR' })
  })

  it('gives the types of keys that are known, so that the peer can be asked for one of them', async () => {
    const known = await file('types', `router-17 ssh-ed25519 ${ED25519.toString('base64')}\nrouter-17 ssh-rsa AAAA\nother ssh-dss AAAA\n`)
    expect(await new HostKeyChecker('router-17', 22, { knownHosts: known }).prepare()).toEqual(['ssh-ed25519', 'ssh-rsa'])
    expect(await new HostKeyChecker('router-17', 22, ED25519_FINGERPRINT).prepare()).toEqual([])
  })

  it("is OpenSSH's own unless another is named", () => {
    expect(defaultKnownHosts()).toEqual([expect.stringMatching(/[/\\]\.ssh[/\\]known_hosts$/), '/etc/ssh/ssh_known_hosts'])
  })
})
