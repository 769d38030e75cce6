import { computed, effect, type Signal, signal } from '@preact/signals'
import { Calls } from '../api/calls.ts'
import { Client } from '../api/client.ts'
import { DICTIONARIES } from '../text/index.ts'
import { Login, maySteer, type TokenStore } from './login.ts'
import { Model } from './model.ts'
import { type PreferenceStore, Preferences } from './preferences.ts'
import type { Action } from './preview.ts'
import { Steering } from './steering.ts'
import { Sync } from './sync.ts'

/** What an open dialog asks or shows. */
export type Dialog = { readonly kind: 'confirm'; readonly action: Action } | { readonly kind: 'keyboard' }

/** What the page is run in. */
export interface Surroundings {
  /** The address of the API. */
  readonly api: string
  readonly tokens: TokenStore
  readonly preferences: PreferenceStore
  readonly languages: readonly string[]
}

const TICK_MS = 500
/** A page that the agent does not answer at all asks again after so long, ms. */
const RETRY_MS = 3000

/** The page without its looks: all of its parts, and what is open. */
export class App {
  readonly preferences: Preferences
  readonly model = new Model((callback) => requestAnimationFrame(callback))
  readonly calls: Calls
  readonly login: Login
  readonly steering: Steering
  readonly sync: Sync
  /** The connection whose details are open. */
  readonly selected: Signal<string | undefined> = signal(undefined)
  /** The pool of the charts; undefined: the first. */
  readonly chartPool: Signal<string | undefined> = signal(undefined)
  readonly dialog: Signal<Dialog | undefined> = signal(undefined)
  readonly text = computed(() => DICTIONARIES[this.preferences.language.value])
  /** Whether somebody is logged in who may step in. */
  readonly maySteer = computed(() => {
    const stage = this.login.stage.value
    return stage.kind === 'in' && maySteer(stage.session)
  })

  constructor({ api, tokens, preferences, languages }: Surroundings) {
    this.preferences = new Preferences(preferences, languages)
    const client = new Client(api)
    this.calls = new Calls(client)
    this.login = new Login(client, this.calls, tokens)
    this.sync = new Sync(this.calls, this.model, (error) => this.login.refused(error))
    this.steering = new Steering(this.calls, () => this.sync.refreshSoon())
  }

  /** Asks to be let in, and follows the pools whenever somebody is. */
  start(): void {
    setInterval(() => this.model.tick(Date.now()), TICK_MS)
    document.addEventListener('visibilitychange', () => {
      // It was asked for seldom meanwhile.
      if (!document.hidden) this.sync.tryNow()
    })
    const isIn = computed(() => this.login.stage.value.kind === 'in')
    effect(() => {
      if (!isIn.value) return
      void this.#follow()
      return () => {
        this.sync.stop()
        this.steering.clear()
        this.model.clear()
        this.selected.value = undefined
        this.dialog.value = undefined
      }
    })
    effect(() => {
      const stage = this.login.stage.value
      if (stage.kind !== 'shut') return
      const timer = setTimeout(() => void this.login.begin(), RETRY_MS)
      return () => clearTimeout(timer)
    })
    void this.login.begin()
  }

  /** Asks for a confirmation. */
  ask(action: Action): void {
    void this.sync.readConfiguration()
    this.dialog.value = { kind: 'confirm', action }
  }

  async #follow(): Promise<void> {
    try {
      await this.sync.start()
      await this.steering.takeUp()
    } catch {
      // Between two requests it can go away, or the token end: asking again tells which.
      this.sync.stop()
      setTimeout(() => void this.login.begin(), RETRY_MS)
    }
  }
}
