import { FAULTS, type FaultKind, type Injected, type Scene, type Target } from './faults.ts'
import { CLOSING_MS, PAUSE_MS, QUIET_MS } from './settings.ts'
import { messageOf } from './text.ts'
import { Observation, type Subject, type Verdict } from './verdict.ts'

/** What hears of the faults as they come and go. */
export interface DirectorReports {
  begun(fault: FaultKind, now: number): void
  injected(fault: FaultKind, injected: Injected): void
  /** It was asked for in time; now that its turn has come there is no time left for it. */
  late(fault: FaultKind): void
  judged(verdict: Verdict): void
}

/** Where the sequence of faults stands. */
export type Stage =
  | { readonly name: 'calm'; readonly next: FaultKind | undefined; readonly at: number }
  | { readonly name: 'paused'; readonly next: FaultKind | undefined }
  | {
      readonly name: 'fault'
      readonly fault: FaultKind
      readonly since: number
      /** Whether it has been made. */
      readonly made: boolean
      /** What was asked for meanwhile, in the order in which it will come. */
      readonly asked: readonly FaultKind[]
      /** Whether none comes by itself afterwards. */
      readonly paused: boolean
    }

interface Current {
  readonly fault: FaultKind
  readonly since: number
  /** Undefined while the fault is being made. */
  observation: Observation | undefined
}

/** Makes one fault after another, by itself and when asked, and judges each before the next. */
export class Director {
  readonly verdicts: Verdict[] = []
  readonly #scene: Scene
  readonly #subjects: Readonly<Record<Target, Subject>>
  readonly #endsAt: number
  readonly #pauseMs: number
  readonly #reports: DirectorReports
  readonly #asked: FaultKind[] = []
  #current: Current | undefined
  #injecting: Promise<void> | undefined
  #turn = 0
  #restUntil: number
  #paused = false
  #ended = false

  /** @param endsAt when the run ends; `Infinity` if it has no limit. A fault begins only if its bound fits before. */
  constructor(scene: Scene, subjects: Readonly<Record<Target, Subject>>, startsAt: number, endsAt: number, reports: DirectorReports) {
    this.#scene = scene
    this.#subjects = subjects
    this.#endsAt = endsAt
    this.#reports = reports
    this.#pauseMs = Number.isFinite(endsAt) ? PAUSE_MS.limited : PAUSE_MS.endless
    this.#restUntil = startsAt + this.#pauseMs
  }

  /** To be called often: sees whether the present fault can be judged, or the next is due. */
  look(now: number): void {
    if (this.#ended) return
    const verdict = this.#current?.observation?.look(now)
    if (verdict !== undefined) this.#judge(verdict, now)
    if (this.#current !== undefined) return
    const asked = this.#nextAsked(now)
    if (asked !== undefined) this.#begin(asked, now)
    else if (!this.#paused && now >= this.#restUntil) this.#takeTurn(now)
  }

  /** A fault is wanted now, or as soon as the present one is judged. @returns whether there is time for it */
  ask(fault: FaultKind, now: number): boolean {
    if (!this.#fits(fault, now)) return false
    if (!this.#asked.includes(fault)) this.#asked.push(fault)
    this.look(now)
    return true
  }

  /** Faults come by themselves, or only when asked for. */
  togglePause(now: number): void {
    this.#paused = !this.#paused
    this.#restUntil = Math.max(this.#restUntil, now + this.#pauseMs)
  }

  stage(now: number): Stage {
    if (this.#current !== undefined) {
      const { fault, since, observation } = this.#current
      return { name: 'fault', fault, since, made: observation !== undefined, asked: [...this.#asked], paused: this.#paused }
    }
    const next = this.#asked[0] ?? this.#next(now)
    return this.#paused ? { name: 'paused', next: this.#asked[0] } : { name: 'calm', next, at: this.#restUntil }
  }

  /** What the application has seen so far of the fault that is being watched. */
  seen(now: number): Verdict['seen'] | undefined {
    if (this.#current === undefined) return undefined
    const { fault, since } = this.#current
    return this.#subjects[fault.target].tally.since(since, now)
  }

  /** Begins no more faults and ends the present one. @returns the one that could not be judged any more */
  async end(): Promise<FaultKind | undefined> {
    this.#ended = true
    await this.#injecting
    this.#current?.observation?.injected.end()
    return this.#current?.fault
  }

  /** The first of those asked for that still fits. */
  #nextAsked(now: number): FaultKind | undefined {
    for (;;) {
      const asked = this.#asked.shift()
      if (asked === undefined || this.#fits(asked, now)) return asked
      this.#reports.late(asked)
    }
  }

  #takeTurn(now: number): void {
    const next = this.#next(now)
    if (next === undefined) return
    this.#turn = FAULTS.indexOf(next) + 1
    this.#begin(next, now)
  }

  /** Whose turn it is: the first, from the last one on, for which there is time. */
  #next(now: number): FaultKind | undefined {
    const inTurn = FAULTS.map((_, index) => FAULTS[(this.#turn + index) % FAULTS.length] as FaultKind)
    return inTurn.find((fault) => this.#fits(fault, Math.max(now, this.#restUntil)))
  }

  #fits(fault: FaultKind, now: number): boolean {
    return now + longest(fault) + CLOSING_MS <= this.#endsAt
  }

  #begin(fault: FaultKind, now: number): void {
    const current: Current = { fault, since: now, observation: undefined }
    this.#current = current
    this.#reports.begun(fault, now)
    this.#injecting = fault.inject(this.#scene).then(
      (injected) => {
        current.observation = new Observation(fault, now, injected, this.#subjects[fault.target])
        this.#reports.injected(fault, injected)
      },
      (error: unknown) => this.#failed(current, error),
    )
  }

  /** A fault that could not be made was not survived either. */
  #failed({ fault, since }: Current, error: unknown): void {
    const now = performance.now()
    const detail = messageOf(error)
    const seen = this.#subjects[fault.target].tally.since(since, now)
    this.#judge({ fault, made: false, healed: false, healMs: 0, wholeMs: 0, seen, detail }, now)
  }

  #judge(verdict: Verdict, now: number): void {
    this.#current?.observation?.injected.end()
    this.#current = undefined
    this.#restUntil = now + this.#pauseMs
    this.verdicts.push(verdict)
    this.#reports.judged(verdict)
  }
}

/** The longest that a fault may take from its beginning until it is judged, ms. */
function longest({ awayMs, boundMs }: FaultKind): number {
  return awayMs + boundMs + QUIET_MS
}

/** The length of a limited run in which every fault has its time, however long each takes to heal, ms. */
export function enoughForAll(): number {
  return FAULTS.reduce((sum, fault) => sum + longest(fault) + PAUSE_MS.limited, PAUSE_MS.limited + CLOSING_MS)
}
