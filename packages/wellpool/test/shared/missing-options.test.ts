import { describe, expect, it } from 'vitest'
import { findMissing } from '../../src/shared/missing-options.ts'
import { flag, text } from '../../src/shared/option-rules.ts'

const RULES = { host: text, secure: flag }

describe('findMissing', () => {
  it('names what has to be given and is not', () => {
    expect(findMissing({ secure: undefined }, RULES, ['host', 'secure'], 'target.')).toEqual([
      { path: 'target.host', given: 'nothing', allowed: 'a text that is not empty' },
      { path: 'target.secure', given: 'nothing', allowed: 'true or false' },
    ])
  })

  it('finds nothing when all is there, whatever it is, and nothing in what is no object', () => {
    expect(findMissing({ host: '', secure: null }, RULES, ['host', 'secure'])).toEqual([])
    expect(findMissing(undefined, RULES, ['host'])).toEqual([])
  })
})
