import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { Guard } from './guard.ts'
import { childrenOf, haveEnded } from './processes.ts'
import { findProgram, type Program } from './programs.ts'
import { runToEnd } from './run-to-end.ts'

/** OpenSSH's server. */
export const SSHD: Program = { name: 'sshd', debianPackages: ['openssh-server'] }
const SSH_KEYGEN: Program = { name: 'ssh-keygen', debianPackages: ['openssh-client'] }

/** The types of host keys that a server has. */
export type SshdKeyType = 'ed25519' | 'ecdsa' | 'rsa'

/** How an sshd is set up. */
export interface SshdServerOptions {
  /** Settings of `sshd_config`, which win over the built-in ones. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** Default `['ed25519']`. */
  readonly hostKeys?: readonly SshdKeyType[]
}

/** One host key of a server. */
export interface SshdHostKey {
  /** Type and key, as they stand in `known_hosts` behind the host's name. */
  readonly line: string
  /** `SHA256:…`, as `ssh-keygen -l` shows it. */
  readonly fingerprint: string
}

/** Many tests connect at once; everything is in one folder, and the machine's own set-up has no say. */
const SETTINGS = {
  ListenAddress: '127.0.0.1',
  UsePAM: 'no',
  StrictModes: 'no',
  PasswordAuthentication: 'no',
  KbdInteractiveAuthentication: 'no',
  PermitRootLogin: 'prohibit-password',
  AllowTcpForwarding: 'yes',
  MaxStartups: '200',
  PrintMotd: 'no',
  PrintLastLog: 'no',
  UseDNS: 'no',
  PidFile: 'none',
  // bash reads ~/.bashrc for each command that comes over SSH, unless it is told that another shell has started it.
  SetEnv: 'SHLVL=1',
} as const

/** Where Debian's sshd wants an empty folder when root runs it; a boot makes it, an installation alone does not. */
const PRIVILEGE_SEPARATION = '/run/sshd'
const START_LIMIT_MS = 30_000
const START_TRIES = 5

/**
 * OpenSSH's sshd on a free port of 127.0.0.1, with host keys and users' keys of its own in a folder of the system's
 * temporary one. Neither outlives this process, however it ends. Made by {@link startSshd}.
 */
export class SshdServer {
  readonly host = '127.0.0.1'
  /** The user that runs this process: sshd lets nobody else in when it is not root's. */
  readonly username = userInfo().username
  readonly #guard: Guard
  readonly #folder: string
  readonly #program: string
  #privateKey = ''
  #hostKeys: readonly SshdHostKey[] = []
  #port = 0

  private constructor(guard: Guard, folder: string, program: string) {
    this.#guard = guard
    this.#folder = folder
    this.#program = program
  }

  /** @see startSshd */
  static async start(options: SshdServerOptions): Promise<SshdServer> {
    const program = await findProgram(SSHD)
    const folder = await mkdtemp(join(tmpdir(), 'wellpool-sshd-'))
    const guard = new Guard({ folders: [folder], endSignal: 'SIGTERM' })
    try {
      const server = new SshdServer(guard, folder, program)
      await server.#initialise(options)
      await server.#startOnFreePort()
      return server
    } catch (error) {
      await guard.close()
      throw error
    }
  }

  /** The same for as long as the server lives, over all restarts. */
  get port(): number {
    return this.#port
  }

  /** The key that lets {@link username} in (PEM). */
  get privateKey(): string {
    return this.#privateKey
  }

  /** In the order of the options. */
  get hostKeys(): readonly SshdHostKey[] {
    return this.#hostKeys
  }

  /** The lines of a `known_hosts` file for this server. */
  get knownHosts(): string {
    return this.#hostKeys.map(({ line }) => `[${this.host}]:${this.#port} ${line}\n`).join('')
  }

  /** The processes that serve connections now, one for each. */
  async sessions(): Promise<number[]> {
    const { pid } = this.#guard
    return pid === undefined ? [] : childrenOf(pid)
  }

  /** Starts the server again, on the same port and with the same keys. Resolves when it takes connections. */
  async start(): Promise<void> {
    await this.#startOn(this.#port)
  }

  /** Stops the server and ends every connection without a word. Resolves when all its processes have ended. */
  async stop(): Promise<void> {
    // They would outlive it: sshd leaves its sessions alone when it is restarted.
    const sessions = await this.sessions()
    await this.#guard.end('SIGTERM')
    for (const pid of sessions) kill(pid)
    await haveEnded(sessions)
  }

  /** Stops and starts the server. */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** What the server has written so far. */
  async log(): Promise<string> {
    return readFile(this.#log, 'utf8').catch(() => '')
  }

  /** Ends the server and its sessions, and removes its keys. Nothing is left when it resolves. Doing it twice does no harm. */
  async close(): Promise<void> {
    await this.stop()
    await this.#guard.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #log(): string {
    return join(this.#folder, 'server.log')
  }

  async #initialise({ settings = {}, hostKeys = ['ed25519'] }: SshdServerOptions): Promise<void> {
    if (process.getuid?.() === 0) await mkdir(PRIVILEGE_SEPARATION, { recursive: true, mode: 0o755 })
    const keygen = await findProgram(SSH_KEYGEN)
    const makeKey = async (name: string, type: SshdKeyType): Promise<string> => {
      const file = join(this.#folder, name)
      await runToEnd(keygen, ['-q', '-t', type, '-N', '', '-C', '', '-f', file])
      return file
    }
    const user = await makeKey('user', 'ed25519')
    this.#privateKey = await readFile(user, 'utf8')
    const files = await Promise.all(hostKeys.map((type) => makeKey(`host-${type}`, type)))
    this.#hostKeys = await Promise.all(
      files.map(async (file) => {
        const fingerprint = /SHA256:\S+/.exec(await runToEnd(keygen, ['-l', '-f', `${file}.pub`]))?.[0] ?? ''
        return { line: (await readFile(`${file}.pub`, 'utf8')).trim(), fingerprint }
      }),
    )
    const lines = [
      ...Object.entries({ ...SETTINGS, AuthorizedKeysFile: `${user}.pub`, ...settings }).map(([name, value]) => `${name} ${value}`),
      ...files.map((file) => `HostKey ${file}`),
    ]
    await writeFile(join(this.#folder, 'sshd_config'), `${lines.join('\n')}\n`)
  }

  async #startOnFreePort(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        const port = await freePort()
        await this.#startOn(port)
        this.#port = port
        return
      } catch (error) {
        // Between the look for a free port and the start somebody else may have taken it.
        if (tries === START_TRIES || !(error as Error).message.includes('Address already in use')) throw error
      }
    }
  }

  async #startOn(port: number): Promise<void> {
    const before = (await this.log()).length
    const args = ['-D', '-e', '-f', join(this.#folder, 'sshd_config'), '-p', String(port)]
    const env = { PATH: `${process.env.PATH}:${dirname(this.#program)}` }
    await this.#guard.run({ command: this.#program, args, cwd: this.#folder, env, log: this.#log })
    let ended = false
    void this.#guard.exited.then(() => {
      ended = true
    })
    const limit = performance.now() + START_LIMIT_MS
    while (!(await this.log()).slice(before).includes(`Server listening on ${this.host} port ${port}`)) {
      if (ended) throw new Error(`sshd did not start:\n${await this.log()}`)
      if (performance.now() > limit) throw new Error(`sshd was not ready within ${START_LIMIT_MS} ms:\n${await this.log()}`)
      await delay(10)
    }
  }
}

/**
 * Makes keys and starts a new sshd; takes a fraction of a second. Who starts it closes it, or declares it with
 * `await using`.
 *
 * @throws NoServerError when the machine has no sshd and none can be installed.
 * @throws Error when it does not start; with what the server said about it.
 */
export async function startSshd(options: SshdServerOptions = {}): Promise<SshdServer> {
  return SshdServer.start(options)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended in the meantime.
  }
}
