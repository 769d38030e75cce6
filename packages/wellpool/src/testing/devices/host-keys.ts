import { createHash } from 'node:crypto'
import ssh2 from 'ssh2'
import type { DeviceKeyType } from './options.ts'

/** One host key of a device. */
export interface DeviceHostKey {
  readonly type: DeviceKeyType
  /** Type and key, as they stand in `known_hosts` behind the host's name. */
  readonly line: string
  /** `SHA256:…`, as `ssh-keygen -l` shows it. */
  readonly fingerprint: `SHA256:${string}`
  /** The private half, which the device keeps. */
  readonly private: string
}

/** Makes a key that nobody else has. */
export function makeHostKey(type: DeviceKeyType): DeviceHostKey {
  let pair = makePair(type)
  // ssh2 leaves out the zeros with which one key in a hundred begins, and cannot read what it has made of it.
  while (ssh2.utils.parseKey(pair.private) instanceof Error) pair = makePair(type)
  const line = pair.public.trim().split(' ').slice(0, 2).join(' ')
  const hash = createHash('sha256')
    .update(Buffer.from(line.split(' ')[1] ?? '', 'base64'))
    .digest('base64')
  return { type, line, fingerprint: `SHA256:${hash.replace(/=+$/, '')}`, private: pair.private }
}

function makePair(type: DeviceKeyType): ssh2.utils.KeyPairReturn {
  if (type === 'rsa') return ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 })
  if (type === 'ecdsa') return ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 })
  return ssh2.utils.generateKeyPairSync('ed25519')
}
