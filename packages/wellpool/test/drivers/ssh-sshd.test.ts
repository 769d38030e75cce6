import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { SSHD, type SshdServer, startSshd } from '@wellpool/servers'
import ssh2 from 'ssh2'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type SshOptions, type SshSession, ssh } from '../../src/drivers/ssh.ts'
import { createPool } from '../../src/index.ts'
import { describeWith } from '../support/describe-if.ts'
import { connectTo, endAfterTest, makeUserKey } from '../support/devices.ts'

const execute = promisify(execFile)

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  )

await describeWith([SSHD], "on OpenSSH's sshd", () => {
  let server: SshdServer
  let folder: string

  beforeAll(async () => {
    // Keys are exchanged anew all the time, as after a long life.
    server = await startSshd({ hostKeys: ['rsa', 'ecdsa', 'ed25519'], settings: { RekeyLimit: '256K', MaxSessions: 4 } })
    folder = await mkdtemp(path.join(tmpdir(), 'wellpool-ssh-'))
    await writeFile(path.join(folder, 'known_hosts'), server.knownHosts)
  })

  afterAll(async () => {
    await server.close()
    await rm(folder, { recursive: true })
  })

  const options = (): SshOptions => ({
    host: server.host,
    port: server.port,
    username: server.username,
    privateKey: server.privateKey,
    hostKey: { knownHosts: path.join(folder, 'known_hosts') },
  })
  const driverFor = (more: Partial<SshOptions> = {}) => ssh({ ...options(), ...more, cli: undefined })
  const open = (more: Partial<SshOptions> = {}): Promise<SshSession> => connectTo(driverFor(more))
  /** The processes with this text in their command line. */
  const running = async (text: string): Promise<number> => {
    const { stdout } = await execute('ps', ['-A', '-o', 'args='])
    return stdout.split('\n').filter((line) => line.includes(text)).length
  }

  describe('run', () => {
    it('gives what a command writes, its errors apart, and how it ended', async () => {
      const session = await open()
      expect(await session.run('echo out; echo err >&2; exit 3')).toEqual({ stdout: 'out\n', stderr: 'err\n', code: 3 })
      expect(await session.run('kill -TERM $$')).toEqual({ stdout: '', stderr: '', code: null, signal: 'SIGTERM' })
      expect(await session.run('no-such-command')).toMatchObject({ code: 127, stderr: expect.stringContaining('no-such-command') })
    })

    it('gives a command its input', async () => {
      const session = await open()
      expect(await session.run('cat', { input: 'Zürich\n' })).toMatchObject({ stdout: 'Zürich\n', code: 0 })
      expect(await session.run('cat', { input: '' })).toMatchObject({ stdout: '', code: 0 })
      const large = Buffer.alloc(3_000_000, 'x')
      expect((await session.run('wc -c', { input: large })).stdout.trim()).toBe('3000000')
      // A command may end without having read all of it.
      expect(await session.run('true', { input: large })).toMatchObject({ code: 0 })
    })

    it('takes long outputs, while keys are exchanged anew', async () => {
      const { stdout } = await (await open()).run('seq 1 300000')
      expect(stdout.length).toBe(1_988_895)
      expect(stdout.endsWith('299999\n300000\n')).toBe(true)
    })

    it('goes on when keys are exchanged anew, with a function that judged the host key later', async () => {
      const session = await open({ hostKey: async () => true })
      for (let i = 0; i < 3; i++) expect((await session.run('seq 1 100000')).stdout).toHaveLength(588_895)
    })

    it('reads other encodings', async () => {
      const session = await open()
      expect((await session.run(`printf '\\374'`, { encoding: 'latin1' })).stdout).toBe('ü')
      expect((await session.run(`printf '\\374'`, { encoding: 'hex' })).stdout).toBe('fc')
    })

    it('runs several commands at the same time', async () => {
      const session = await open()
      const outputs = await Promise.all([1, 2, 3].map((n) => session.run(`sleep 0.1; echo ${n}`)))
      expect(outputs.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n'])
      expect(await failureOf(Promise.all([1, 2, 3, 4, 5].map(() => session.run('sleep 5'))))).toMatchObject({ code: 'SSH_NO_SESSIONS' })
    })

    it('gives up a command that takes too long: its channel is closed, and the session goes on after a reset', async () => {
      const driver = driverFor({ commandTimeout: '200ms' })
      const session = await connectTo(driver)
      const error = await failureOf(session.run('cat'))
      expect(error).toMatchObject({ code: 'SSH_TIMEOUT', message: expect.stringContaining('"cat" did not end within 200 ms') })
      expect(driver.classify?.(error)).toBe('transient')
      await driver.reset?.(session)
      expect((await session.run('echo on', { timeout: '10s' })).stdout).toBe('on\n')
    })

    it('gives up a command whose signal is aborted, and leaves no process', async () => {
      const session = await open()
      const controller = new AbortController()
      const result = failureOf(session.run('exec cat /dev/zero wellpool-aborted', { signal: controller.signal, maxOutput: 2 ** 40 }))
      await expect.poll(() => running('cat /dev/zero wellpool-aborted')).toBeGreaterThan(0)
      const reason = new Error('no longer wanted')
      controller.abort(reason)
      expect(await result).toBe(reason)
      await expect.poll(() => running('cat /dev/zero wellpool-aborted'), { timeout: 10_000 }).toBe(0)
    })

    it('gives up a command that writes more than maxOutput', async () => {
      const driver = driverFor({ maxOutput: 1000 })
      const session = await connectTo(driver)
      expect((await session.run('head -c 1000 /dev/zero')).stdout.length).toBe(1000)
      const error = await failureOf(session.run('yes'))
      expect(error).toMatchObject({ code: 'SSH_OUTPUT_LIMIT', message: expect.stringContaining('more than 1000 bytes') })
      expect(driver.classify?.(error)).toBe('application')
      await driver.reset?.(session)
      expect((await session.run('seq 1 1000', { maxOutput: 5000 })).stdout).toHaveLength(3893)
    })

    it('refuses a time-out that is none', async () => {
      const session = await open()
      await expect(session.run('true', { timeout: 'soon' })).rejects.toThrow(TypeError)
      expect(await session.run('true', { timeout: 0 })).toMatchObject({ code: 0 })
    })
  })

  describe('the CLI of a real shell', () => {
    it('opens, answers, and leaves the shell as it found it', async () => {
      const session = await open()
      const cli = await session.openCli({ platform: 'linux' })
      expect(['wellpool$', 'wellpool#']).toContain(cli.prompt)
      expect(await cli.send('echo one; echo two')).toBe('one\ntwo')
      expect(await cli.send('cd /tmp; pwd')).toBe('/tmp')
      expect((await cli.send('seq 1 5000')).split('\n')).toHaveLength(5000)
      const long = 'x'.repeat(1500)
      expect(await cli.send(`echo ${long}`)).toBe(long)
      expect(await cli.send(`printf 'wellpool$ \\nwellpool# \\n'; sleep 0.1; echo end`)).toBe('wellpool$\nwellpool#\nend')
      expect(await cli.interact([{ send: 'read -r answer', expect: /.*/ }, { send: 'yes' }, { send: 'echo "$answer"' }])).toContain('yes')
      await cli.close()
    })
  })

  describe('the log-in', () => {
    /** The socket of an agent that has the server's key for its user. */
    const startAgent = async (): Promise<string> => {
      const place = await mkdtemp(path.join(folder, 'agent-'))
      const socket = path.join(place, 'socket')
      const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
      endAfterTest(() => agent.kill())
      const key = path.join(place, 'key')
      await writeFile(key, server.privateKey, { mode: 0o600 })
      const env = { ...process.env, SSH_AUTH_SOCK: socket }
      await expect
        .poll(() =>
          execute('ssh-add', ['-q', key], { env }).then(
            () => true,
            () => false,
          ),
        )
        .toBe(true)
      return socket
    }

    it('takes the keys of an agent', async () => {
      const session = await open({ privateKey: undefined, agent: await startAgent() })
      expect((await session.run('echo in')).stdout).toBe('in\n')
    })

    it('goes on with questions when a key of the agent was right and is not enough', async () => {
      const asking = new ssh2.Server({ hostKeys: [makeUserKey().private] }, (peer) => {
        peer.on('error', () => {})
        peer.on('authentication', (attempt) => {
          if (attempt.method === 'keyboard-interactive') attempt.prompt([{ prompt: 'Code: ', echo: false }], () => attempt.accept())
          else if (attempt.method !== 'publickey') attempt.reject(['publickey'])
          else if (attempt.signature === undefined) attempt.accept()
          else attempt.reject(['keyboard-interactive'], true)
        })
      })
      await new Promise<void>((resolve) => asking.listen(0, '127.0.0.1', resolve))
      endAfterTest(() => new Promise((resolve) => asking.close(resolve)))
      const { port } = asking.address() as AddressInfo
      const keyboardInteractive = vi.fn(() => ['123456'])
      const agent = await startAgent()
      await connectTo(ssh({ host: '127.0.0.1', port, username: 'ops', agent, keyboardInteractive, hostKey: 'accept-any-insecure' }))
      expect(keyboardInteractive).toHaveBeenCalledTimes(1)
    })

    it('that the server ends because there were too many tries is hopeless', async () => {
      const strict = await startSshd({ settings: { MaxAuthTries: 1 } })
      endAfterTest(() => strict.close())
      const hostKey = strict.hostKeys[0]?.fingerprint as `SHA256:${string}`
      // A key that this one does not know.
      const { privateKey } = server
      const driver = ssh({ host: strict.host, port: strict.port, username: strict.username, privateKey, hostKey })
      const error = await failureOf(connectTo(driver))
      expect(error).toMatchObject({ code: 'SSH_AUTHENTICATION' })
      expect(driver.classify?.(error)).toBe('fatal')
    })
  })

  it('is a jump host to another', async () => {
    const inner = await startSshd()
    endAfterTest(() => inner.close())
    const hostKey = inner.hostKeys[0]?.fingerprint as `SHA256:${string}`
    const { host, port, username, privateKey } = inner
    const before = (await server.sessions()).length
    const driver = ssh({ host, port, username, privateKey, hostKey, jump: options() })
    const session = await connectTo(driver)
    expect((await session.run('echo far')).stdout).toBe('far\n')
    expect((await server.sessions()).length).toBe(before + 1)
    await driver.close(session)
    await expect.poll(async () => (await server.sessions()).length).toBe(before)
    await expect.poll(async () => (await inner.sessions()).length).toBe(0)
  })

  it('is a jump host that passes on that the host behind it has ended', async () => {
    const inner = await startSshd()
    endAfterTest(() => inner.close())
    const { host, port, username, privateKey } = inner
    const hostKey = inner.hostKeys[0]?.fingerprint as `SHA256:${string}`
    const driver = ssh({ host, port, username, privateKey, hostKey, jump: options() })
    const session = await connectTo(driver)
    const lost = new Promise<unknown>((resolve) => driver.watch?.(session, { lost: resolve, retire: () => {} }))
    const reading = failureOf(session.run('cat'))
    await inner.stop()
    expect(await lost).toMatchObject({ code: 'SSH_CONNECTION_LOST' })
    expect(await reading).toMatchObject({ code: 'SSH_CONNECTION_LOST' })
    await driver.close(session)
  })

  it('is a jump host although it opens no sessions, when checks are told to open none', async () => {
    const strict = await startSshd({ settings: { MaxSessions: 0 } })
    endAfterTest(() => strict.close())
    const hostKey = strict.hostKeys[0]?.fingerprint as `SHA256:${string}`
    const { host, port, username, privateKey } = strict
    const jump = ssh({ host, port, username, privateKey, hostKey, healthCommand: '' })
    const session = await connectTo(jump)
    const [pid] = await strict.sessions()
    await jump.check(session, { signal: AbortSignal.timeout(10_000) })
    await expect(connectTo(ssh({ host, port, username, privateKey, hostKey })).then((other) => other.run('true'))).rejects.toMatchObject({
      code: 'SSH_NO_SESSIONS',
    })
    const pool = createPool(ssh({ host, port, username, privateKey, hostKey, healthCommand: '', maxLeasesPerConnection: 10 }))
    endAfterTest(() => pool.close({ timeout: 0 }))
    expect((await (await open({ jump: pool })).run('echo far')).stdout).toBe('far\n')

    process.kill(pid as number, 'SIGKILL')
    await expect(jump.check(session, { signal: AbortSignal.timeout(10_000) })).rejects.toMatchObject({ code: 'SSH_CONNECTION_LOST' })
  })

  it('is understood when it turns connections away, and served when it has room again', async () => {
    const small = await startSshd({ settings: { MaxStartups: '1' } })
    endAfterTest(() => small.close())
    const hostKey = small.hostKeys[0]?.fingerprint as `SHA256:${string}`
    const { host, port, username, privateKey } = small
    const pool = createPool(ssh({ host, port, username, privateKey, hostKey }), {
      maxConnections: 6,
      maxConnecting: 6,
      backoff: { base: 20, max: 100 },
    })
    endAfterTest(() => pool.close({ timeout: 0 }))
    const answers = await Promise.all(Array.from({ length: 6 }, (_, n) => pool.use((session) => session.run(`sleep 0.2; echo ${n}`))))
    expect(answers.map(({ stdout }) => stdout.trim())).toEqual(['0', '1', '2', '3', '4', '5'])
  })
})
