import { type Dictionary, en } from './en.ts'
import { zh } from './zh.ts'

export type { Dictionary } from './en.ts'

/** The languages of this page, by their tag. */
export const DICTIONARIES = { en, zh } as const satisfies Record<string, Dictionary>

export type Language = keyof typeof DICTIONARIES

export const LANGUAGES = Object.keys(DICTIONARIES) as readonly Language[]

/** The first language of a browser's list that there is; English if there is none. */
export function chooseLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const [language] = tag.toLowerCase().split('-')
    const found = LANGUAGES.find((each) => each === language)
    if (found !== undefined) return found
  }
  return 'en'
}
