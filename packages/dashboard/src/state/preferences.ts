import { effect, type Signal, signal } from '@preact/signals'
import { chooseLanguage, LANGUAGES, type Language } from '../text/index.ts'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

/** Where preferences are kept. `localStorage` fits. */
export type PreferenceStore = Pick<Storage, 'getItem' | 'setItem'>

const [LANGUAGE_KEY, THEME_KEY, SINGLE_KEYS_KEY] = ['wellpool.language', 'wellpool.theme', 'wellpool.single-keys']

/** How somebody wants the page: kept on this machine, and no secret. */
export class Preferences {
  readonly language: Signal<Language>
  readonly theme: Signal<Theme>
  /** Whether keys of one character do something. Who speaks to the computer presses them without meaning to. */
  readonly singleKeys: Signal<boolean>

  /** @param languages those of the browser, the preferred one first */
  constructor(store: PreferenceStore, languages: readonly string[]) {
    const [language, theme] = [store.getItem(LANGUAGE_KEY), store.getItem(THEME_KEY)]
    this.language = signal(LANGUAGES.find((each) => each === language) ?? chooseLanguage(languages))
    this.theme = signal(THEMES.find((each) => each === theme) ?? 'auto')
    this.singleKeys = signal(store.getItem(SINGLE_KEYS_KEY) !== 'false')
    keepChanges(store, LANGUAGE_KEY, this.language)
    keepChanges(store, THEME_KEY, this.theme)
    keepChanges(store, SINGLE_KEYS_KEY, this.singleKeys)
  }

  nextTheme(): void {
    this.theme.value = THEMES[(THEMES.indexOf(this.theme.value) + 1) % THEMES.length] ?? 'auto'
  }

  nextLanguage(): void {
    this.language.value = LANGUAGES[(LANGUAGES.indexOf(this.language.value) + 1) % LANGUAGES.length] ?? 'en'
  }
}

/** Keeps what is chosen. What never was goes on following the browser. */
function keepChanges(store: PreferenceStore, key: string, chosen: Signal<string | boolean>): void {
  let isFirst = true
  effect(() => {
    const value = chosen.value
    if (!isFirst) store.setItem(key, String(value))
    isFirst = false
  })
}
