import { effect, type Signal, signal } from '@preact/signals'
import { chooseLanguage, LANGUAGES, type Language } from '../text/index.ts'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

/** Where preferences are kept. `localStorage` fits. */
export type PreferenceStore = Pick<Storage, 'getItem' | 'setItem'>

const [LANGUAGE_KEY, THEME_KEY] = ['wellpool.language', 'wellpool.theme']

/** How somebody wants the page: kept on this machine, and no secret. */
export class Preferences {
  readonly language: Signal<Language>
  readonly theme: Signal<Theme>

  /** @param languages those of the browser, the preferred one first */
  constructor(store: PreferenceStore, languages: readonly string[]) {
    const [language, theme] = [store.getItem(LANGUAGE_KEY), store.getItem(THEME_KEY)]
    this.language = signal(LANGUAGES.find((each) => each === language) ?? chooseLanguage(languages))
    this.theme = signal(THEMES.find((each) => each === theme) ?? 'auto')
    let isFirst = true
    effect(() => {
      const [nextLanguage, nextTheme] = [this.language.value, this.theme.value]
      // What was never chosen goes on following the browser.
      if (!isFirst) {
        store.setItem(LANGUAGE_KEY, nextLanguage)
        store.setItem(THEME_KEY, nextTheme)
      }
      isFirst = false
    })
  }

  nextTheme(): void {
    this.theme.value = THEMES[(THEMES.indexOf(this.theme.value) + 1) % THEMES.length] ?? 'auto'
  }

  nextLanguage(): void {
    this.language.value = LANGUAGES[(LANGUAGES.indexOf(this.language.value) + 1) % LANGUAGES.length] ?? 'en'
  }
}
