import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { now } from './clock.ts'
import type { ApplicationSettings, Command, Recording, Report } from './messages.ts'

/** How long the process may take to begin, and to end after its last request, ms: more than any deadline in it. */
const PATIENCE_MS = 20_000
/** What is kept of what it says on its way out, characters. */
const MOST_WORDS = 2_000

/** When an application stood still. */
export interface Standstill {
  readonly from: number
  readonly until: number
}

/** The application as its lane sees it: a process of its own. */
export class ApplicationProcess {
  readonly firstDue: number
  readonly #child: ChildProcess
  readonly #reports: Reports

  private constructor(child: ChildProcess, reports: Reports, firstDue: number) {
    this.#child = child
    this.#reports = reports
    this.firstDue = firstDue
  }

  /** Starts it. Resolves when the load has begun. */
  static async start(settings: ApplicationSettings): Promise<ApplicationProcess> {
    const program = fileURLToPath(new URL('application.js', import.meta.url))
    const child = fork(program, [JSON.stringify(settings)], {
      serialization: 'advanced',
      // Some pools write about each failed connect to the standard output.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // No flags from outside: a loader or a profiler would be measured as well.
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    const reports = new Reports(child, settings.contender)
    const { firstDue } = await reports.next('begun')
    return new ApplicationProcess(child, reports, firstDue)
  }

  /** Makes no requests until {@link resume}. */
  pause(): void {
    this.#tell({ do: 'pause' })
  }

  resume(): void {
    this.#tell({ do: 'resume' })
  }

  /** Tells it what connects need from now on. */
  setPassword(password: string): void {
    this.#tell({ do: 'password', password })
  }

  /** Blocks its event loop. Resolves afterwards. */
  async block(ms: number): Promise<Standstill> {
    this.#tell({ do: 'block', ms })
    return this.#reports.next('blocked')
  }

  /** Stops the whole process for a while, as a debugger or a frozen container does. */
  async stop(ms: number): Promise<Standstill> {
    const from = now()
    this.#child.kill('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, ms))
    this.#child.kill('SIGCONT')
    return { from, until: now() }
  }

  /** Ends the load, waits for what is under way, and resolves with all that was seen. The process ends. */
  async end(): Promise<Recording> {
    this.#tell({ do: 'end' })
    return (await this.#reports.next('recording')).recording
  }

  /** Ends it at once, if it has not ended yet. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #tell(command: Command): void {
    // One that has ended is noticed by whoever waits for its next report.
    if (this.#child.connected) this.#child.send(command)
  }
}

type ReportOf<Kind extends Report['kind']> = Extract<Report, { kind: Kind }>

/** What a process tells, awaited kind by kind. */
class Reports {
  readonly #child: ChildProcess
  readonly #name: string
  #lastWords = ''

  constructor(child: ChildProcess, name: string) {
    this.#child = child
    this.#name = name
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = `${this.#lastWords}${text}`.slice(-MOST_WORDS)
    })
  }

  /** @throws Error when the process ends, or stays silent, without such a report */
  next<Kind extends Report['kind']>(kind: Kind): Promise<ReportOf<Kind>> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer)
        this.#child.off('message', hear)
        this.#child.off('close', exited)
        finish()
      }
      const hear = (message: unknown): void => {
        const report = message as Report
        if (report.kind === kind) settle(() => resolve(report as ReportOf<Kind>))
      }
      const fail = (why: string): void => settle(() => reject(new Error(`the application with ${this.#name} ${why}`)))
      const exited = (code: number | null, signal: string | null): void =>
        fail(`ended with ${signal ?? `code ${code}`}: ${this.#lastWords}`)
      const timer = setTimeout(() => fail(`has not reported '${kind}' within ${PATIENCE_MS} ms`), PATIENCE_MS)
      this.#child.on('message', hear)
      // Not 'exit': what it has said last would not have been read yet.
      this.#child.on('close', exited)
    })
  }
}
