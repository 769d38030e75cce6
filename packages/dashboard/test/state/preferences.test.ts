import { expect, it } from 'vitest'
import { Preferences } from '../../src/state/preferences.ts'

function storeOf(values: Record<string, string> = {}) {
  const kept = new Map(Object.entries(values))
  return {
    kept,
    store: { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) },
  }
}

it('follows the browser until something is chosen, and keeps what is', () => {
  const { kept, store } = storeOf()
  const preferences = new Preferences(store, ['zh-CN'])
  expect([preferences.language.value, preferences.theme.value, kept.size]).toEqual(['zh', 'auto', 0])
  preferences.nextLanguage()
  preferences.nextTheme()
  expect(Object.fromEntries(kept)).toEqual({ 'wellpool.language': 'en', 'wellpool.theme': 'light' })
  const again = new Preferences(store, ['zh-CN'])
  expect([again.language.value, again.theme.value]).toEqual(['en', 'light'])
})

it('goes on following the browser in what was not chosen', () => {
  const { kept, store } = storeOf()
  const preferences = new Preferences(store, ['zh-CN'])
  preferences.nextTheme()
  expect(Object.fromEntries(kept)).toEqual({ 'wellpool.theme': 'light' })
  expect(new Preferences(store, ['en']).language.value).toBe('en')
})

it('keeps that keys of one character do nothing', () => {
  const { kept, store } = storeOf()
  const preferences = new Preferences(store, ['en'])
  expect(preferences.singleKeys.value).toBe(true)
  preferences.singleKeys.value = false
  expect(Object.fromEntries(kept)).toEqual({ 'wellpool.single-keys': 'false' })
  expect(new Preferences(store, ['en']).singleKeys.value).toBe(false)
})

it('does not take what it does not know', () => {
  const { store } = storeOf({ 'wellpool.language': 'xx', 'wellpool.theme': 'pink' })
  const preferences = new Preferences(store, ['en'])
  expect([preferences.language.value, preferences.theme.value]).toEqual(['en', 'auto'])
})
