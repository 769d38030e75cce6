import { describe, expect, it } from 'vitest'
import { chooseLanguage, DICTIONARIES, LANGUAGES } from '../src/text/index.ts'

/** All texts by their place; of functions what they say with these numbers. */
function textsOf(value: unknown, place = ''): [place: string, text: string][] {
  if (typeof value === 'string') return [[place, value]]
  if (typeof value === 'function') return [0, 1, 7].map((n) => [`${place}(${n})`, String(value(n, n, n))])
  return Object.entries(value as object).flatMap(([key, each]) => textsOf(each, `${place}/${key}`))
}

describe.each(LANGUAGES)('the texts in %s', (language) => {
  const texts = textsOf(DICTIONARIES[language])

  it('are at the same places as in English, and none is empty', () => {
    expect(texts.map(([place]) => place).sort()).toEqual(
      textsOf(DICTIONARIES.en)
        .map(([place]) => place)
        .sort(),
    )
    expect(texts.filter(([, text]) => text.trim() === '' || text.includes('undefined'))).toEqual([])
  })
})

it('no Chinese text was left in English', () => {
  const same = new Map(textsOf(DICTIONARIES.en))
  const left = textsOf(DICTIONARIES.zh).filter(([place, text]) => same.get(place) === text && /[a-z]{3}/i.test(text))
  expect(left.map(([place]) => place)).toEqual(['/title'])
})

it('says one thing and many things differently', () => {
  const { headline, confirm } = DICTIONARIES.en
  expect([headline.ill(1), headline.ill(3)]).toEqual(['1 connection is ill', '3 connections are ill'])
  expect(confirm.evicts(10, 3, 7)).toBe('Closes 10 connections: 3 now, 7 when they are released.')
  expect(confirm.evicts(1, 0, 1)).toBe('Closes 1 connection: 0 now, 1 when it is released.')
})

it.each([
  [['zh-CN', 'en'], 'zh'],
  [['fr-FR', 'zh'], 'zh'],
  [['en-GB', 'zh'], 'en'],
  [['fr'], 'en'],
  [[], 'en'],
] as const)('of the languages %j it chooses %s', (preferred, language) => {
  expect(chooseLanguage(preferred)).toBe(language)
})
