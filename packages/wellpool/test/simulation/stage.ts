import type { FakeClock } from '../../src/testing/index.ts'
import { Actions } from './actions.ts'
import type { Chronicle } from './chronicle.ts'
import { Invariants } from './invariants.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** A world and what is done to it. */
export interface Scene {
  readonly world: World
  readonly invariants: Invariants
  readonly actions: Actions
}

/** How often, and for how long, the process is kept from running. */
export interface Interruptions {
  readonly share: number
  readonly ms: readonly number[]
  /** Whether somebody sets the wall clock, too. */
  readonly setWall?: boolean
}

/** Now and then, and sometimes for long. */
export const USUAL_INTERRUPTIONS: Interruptions = { share: 0.03, ms: [50, 999, 2500, 60_000] }

const MAX_STEPS_PER_WAIT = 80
/** Of the steps in which nothing is seen to happen, a patient stage looks at one in so many. */
const PATIENCE = 64

/** One clock and all that goes on by it: lets time pass, and looks at every world after each step. */
export class Stage {
  readonly scenes: Scene[] = []
  readonly #chronicle: Chronicle
  readonly #clock: FakeClock
  readonly #random: Random
  readonly #interruptions: Interruptions
  readonly #isPatient: boolean
  #noted = -1

  /** @param isPatient whether most of the steps are passed over in which nothing is seen to happen: a month has millions */
  constructor(chronicle: Chronicle, clock: FakeClock, random: Random, interruptions: Interruptions, isPatient = false) {
    this.#chronicle = chronicle
    this.#clock = clock
    this.#random = random
    this.#interruptions = interruptions
    this.#isPatient = isPatient
    clock.onStep = () => this.#afterStep()
  }

  add(world: World): Scene {
    const scene = { world, invariants: new Invariants(world), actions: new Actions(world) }
    this.scenes.push(scene)
    return scene
  }

  /** What an action set off, without time passing: a step of its own. */
  async settle(): Promise<void> {
    await this.#clock.settle()
    this.#afterStep()
  }

  /** Lets time pass, a little less than asked for if too much would happen in it; or the process is interrupted instead. */
  async passSome(ms: number): Promise<void> {
    if (this.#random.chance(this.#interruptions.share)) await this.#interrupt()
    else await this.#advance(ms, MAX_STEPS_PER_WAIT)
    await this.#afterInstant()
  }

  /** Lets time pass, all of it. */
  readonly pass = async (ms: number): Promise<void> => {
    await this.#clock.advance(ms)
    await this.#afterInstant()
  }

  /** Until so many steps have been made, give or take what is due at the same time. */
  async #advance(ms: number, maxSteps: number): Promise<void> {
    const before = this.#chronicle.steps
    const slices = this.scenes.map(({ world: { options } }) =>
      Math.min(options.healthCheckInterval / 4, options.rebuildCheckInterval, 1000),
    )
    const slice = Math.max(1, Math.min(...slices))
    for (let left = ms; left > 0 && this.#chronicle.steps - before < maxSteps; left -= slice)
      await this.#clock.advance(Math.min(left, slice))
  }

  #afterStep(): void {
    this.#chronicle.steps++
    const { count } = this.#chronicle.trace
    if (this.#isPatient && this.#noted === count && this.#chronicle.steps % PATIENCE !== 0) return
    this.#noted = count
    for (const { world, invariants } of this.scenes) {
      invariants.afterStep()
      world.step++
    }
  }

  async #afterInstant(): Promise<void> {
    await this.settle()
    for (const { invariants } of this.scenes) invariants.afterInstant()
  }

  /** The process is stopped, or the machine suspended. */
  async #interrupt(): Promise<void> {
    const random = this.#random
    const ms = random.pick(this.#interruptions.ms)
    if (this.#interruptions.setWall === true && random.chance(0.3)) {
      await this.#setWall(random.pick([-1, 1]) * ms)
      return
    }
    const suspended = random.chance(0.4)
    for (const { world } of this.scenes) {
      world.note(`${suspended ? 'suspended' : 'asleep'} for ${ms} ms`)
      world.count(suspended ? 'suspended' : 'asleep')
    }
    if (!suspended) {
      // What is looked at while it wakes up is so before or after the pool has noticed.
      for (const { world } of this.scenes) world.model.maybeSuspectAt = Number.POSITIVE_INFINITY
      await this.#clock.sleep(ms)
      // The pool's tick of one second is then at least one second late.
      this.#suspect(ms >= 2000)
      return
    }
    const before = this.#clock.now()
    await this.#clock.suspend(ms)
    await this.#untilNoticed(ms, before)
  }

  /** Set forward it looks as if the machine had been suspended, set back like nothing. */
  async #setWall(ms: number): Promise<void> {
    for (const { world } of this.scenes) {
      world.note(`the wall clock is set by ${ms} ms`)
      world.count('wall clock set')
    }
    const before = this.#clock.now()
    this.#clock.setWall(ms)
    await this.#untilNoticed(ms, before)
  }

  /** The next tick, of one second, finds it out; who has proven itself in between has done so after it. */
  async #untilNoticed(ms: number, before: number): Promise<void> {
    await this.#clock.advance(1001)
    this.#suspect(ms >= 1000, before)
  }

  /** All clients are suspects now, or may be. */
  #suspect(surely: boolean, since?: number): void {
    for (const { world } of this.scenes) {
      world.wokenAt = this.#clock.now()
      world.model.maybeSuspect()
      if (surely && world.life !== 'new') world.model.suspect(since)
    }
  }
}
