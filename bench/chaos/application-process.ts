import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { now } from './clock.ts'
import { lostIn, type Span } from './crash.ts'
import type { ApplicationSettings, Command, Recording, Report, Request, TraceEntry } from './messages.ts'
import { VARIANTS } from './variants.ts'

/** How long the process may take to begin, and to end after its last request, ms: more than any deadline in it. */
const PATIENCE_MS = 20_000
/** What is kept of what it says on its way out, characters. */
const MOST_WORDS = 2_000

/** The application as its lane sees it: a process of its own, which may end before it is told to. */
export class ApplicationProcess {
  readonly #settings: ApplicationSettings
  readonly #child: ChildProcess
  readonly #heard = { requests: [] as Request[], connects: [] as number[], trace: [] as TraceEntry[] }
  readonly #pauses: Span[] = []
  /** Resolves with how the process has ended, when all that it said has been read. */
  readonly #end: Promise<string>
  #crash: { readonly at: number; readonly how: string } | undefined
  #pausedAt: number | undefined
  #firstDue = 0

  private constructor(settings: ApplicationSettings) {
    this.#settings = settings
    const program = fileURLToPath(new URL('application.js', import.meta.url))
    this.#child = fork(program, [JSON.stringify(settings)], {
      serialization: 'advanced',
      // Some pools write about each failed connect to the standard output.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // No flags from outside: a loader or a profiler would be measured as well.
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    let lastWords = ''
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = `${lastWords}${text}`.slice(-MOST_WORDS)
    })
    this.#end = new Promise((resolve) => {
      // Not 'exit': what it has said last would not have been read yet.
      this.#child.once('close', (code, signal) => resolve(`ended with ${signal ?? `code ${code}`}: ${lastWords.trim()}`))
    })
    void this.#end.then((how) => {
      this.#crash = { at: now(), how }
    })
    this.#child.on('message', (message) => this.#hear(message as Report))
    // One that has been stopped does not hear that its lane is gone.
    const kill = (): void => this.kill()
    process.once('exit', kill)
    this.#child.once('close', () => process.off('exit', kill))
  }

  /** Starts it. Resolves when the load has begun. @throws Error when it does not begin */
  static async start(settings: ApplicationSettings): Promise<ApplicationProcess> {
    const application = new ApplicationProcess(settings)
    try {
      await application.#next('begun')
    } catch (error) {
      application.kill()
      throw error
    }
    return application
  }

  /** When its first requests were due. */
  get firstDue(): number {
    return this.#firstDue
  }

  /** Makes no requests until {@link resume}. */
  pause(): void {
    this.#pausedAt = now()
    this.#tell({ do: 'pause' })
  }

  resume(): void {
    if (this.#pausedAt !== undefined) this.#pauses.push({ from: this.#pausedAt, until: now() })
    this.#pausedAt = undefined
    this.#tell({ do: 'resume' })
  }

  /** Tells it what connects need from now on. */
  setPassword(password: string): void {
    this.#tell({ do: 'password', password })
  }

  /** Blocks its event loop. Resolves afterwards, with when it was blocked. */
  async block(ms: number): Promise<Span> {
    if (this.#crash !== undefined) return { from: now(), until: now() }
    this.#tell({ do: 'block', ms })
    return this.#next('blocked')
  }

  /** Stops the whole process for a while, as a debugger or a frozen container does. */
  async stop(ms: number): Promise<Span> {
    const from = now()
    this.#child.kill('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, ms))
    this.#child.kill('SIGCONT')
    return { from, until: now() }
  }

  /**
   * Ends the load, waits for what is under way, and resolves with all that was seen. The process ends. If it has ended
   * by itself, all requests since then count as failed.
   *
   * @param endsAt until when requests would have been due
   */
  async end(endsAt: number): Promise<Recording> {
    if (this.#crash !== undefined) {
      const crash = { at: this.#crash.at, firstDue: this.#firstDue, endsAt, pauses: this.#pauses }
      const lost = lostIn(crash, VARIANTS[this.#settings.variant], this.#heard.requests)
      return { ...this.#heard, requests: [...this.#heard.requests, ...lost], crash: this.#crash.how }
    }
    this.#tell({ do: 'end' })
    await this.#next('ended')
    return { ...this.#heard, crash: undefined }
  }

  /** Ends it at once, if it has not ended yet. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #hear(report: Report): void {
    if (report.kind === 'begun') this.#firstDue = report.firstDue
    if (report.kind !== 'progress') return
    const { requests, connects, trace } = report.progress
    this.#heard.requests.push(...requests)
    this.#heard.connects.push(...connects)
    this.#heard.trace.push(...trace)
  }

  #tell(command: Command): void {
    // One that has ended is noticed by whoever waits for its next report.
    if (this.#child.connected) this.#child.send(command)
  }

  /** @throws Error when the process ends, or stays silent, without such a report */
  #next<Kind extends Report['kind']>(kind: Kind): Promise<Extract<Report, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer)
        this.#child.off('message', hear)
        finish()
      }
      const hear = (message: unknown): void => {
        const report = message as Report
        if (report.kind === kind) settle(() => resolve(report as Extract<Report, { kind: Kind }>))
      }
      const fail = (why: string): void => settle(() => reject(new Error(`the application with ${this.#settings.contender} ${why}`)))
      const timer = setTimeout(() => fail(`has not reported '${kind}' within ${PATIENCE_MS} ms`), PATIENCE_MS)
      this.#child.on('message', hear)
      void this.#end.then(fail)
    })
  }
}
