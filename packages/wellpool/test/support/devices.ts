import ssh2 from 'ssh2'
import { afterEach } from 'vitest'
import { type CliOptions, type SshCliSession, type SshOptions, type SshSession, ssh } from '../../src/drivers/ssh.ts'
import type { Driver } from '../../src/engine/driver.ts'
import { type Device, type DeviceOptions, startDevice } from '../../src/testing/devices/index.ts'

/** What a test has begun, ended after it in the opposite order. */
const begun: (() => unknown)[] = []

afterEach(async () => {
  for (const end of begun.splice(0).reverse()) await end()
})

/** Ends something after the test. */
export function endAfterTest(end: () => unknown): void {
  begun.push(end)
}

/** A pair of keys for a user. */
export function makeUserKey(passphrase?: string): { private: string; public: string } {
  for (;;) {
    const locked = passphrase === undefined ? undefined : { passphrase, cipher: 'aes256-ctr', rounds: 1 }
    const pair = ssh2.utils.generateKeyPairSync('ed25519', locked)
    // ssh2 leaves out the zeros with which one key in a hundred begins, and cannot read what it has made of it.
    if (!(ssh2.utils.parseKey(pair.private, passphrase) instanceof Error)) return pair
  }
}

/** A simulated device that is gone after the test. */
export async function makeDevice(options: DeviceOptions): Promise<Device> {
  const device = await startDevice(options)
  endAfterTest(() => device.close())
  return device
}

/** The options that lead to a device, as its user `admin`. */
export function addressOf(device: Device): SshOptions {
  return { host: device.host, port: device.port, username: 'admin', password: 'admin', hostKey: device.fingerprint }
}

/** A session of a driver, destroyed after the test. */
export async function connectTo<Session extends SshSession>(driver: Driver<Session>, signal?: AbortSignal): Promise<Session> {
  const session = await driver.connect({ signal: signal ?? new AbortController().signal, connectionId: 'test-1', attempt: 1 })
  endAfterTest(() => driver.destroy(session))
  return session
}

/** A device and a session with its CLI open. */
export async function openDevice(
  options: DeviceOptions,
  cli: Partial<CliOptions> = {},
): Promise<{ device: Device; driver: Driver<SshCliSession>; session: SshCliSession }> {
  const device = await makeDevice(options)
  const driver = ssh({ ...addressOf(device), cli: { platform: options.platform, ...cli } })
  return { device, driver, session: await connectTo(driver) }
}
