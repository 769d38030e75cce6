import { describe, expect, it } from 'vitest'
import { type CliPlatform, definePlatform } from '../../src/drivers/ssh-platform.ts'
import { platforms } from '../../src/drivers/ssh-platforms.ts'
import { ConfigError } from '../../src/engine/errors.ts'

const acme: CliPlatform = {
  name: 'acme',
  levels: [{ name: 'exec', prompt: /^(?<base>\w+)\$$/ }],
  errors: [/^Oops/],
  health: 'ping',
}

const problemsOf = (platform: unknown): string[] => {
  try {
    definePlatform(platform as CliPlatform)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, given }) => `${path}: ${given}`)
    throw error
  }
  return []
}

describe('definePlatform', () => {
  it('returns what it is given', () => {
    expect(definePlatform(acme)).toBe(acme)
  })

  it.each(Object.values(platforms))('takes $name as it is', (platform) => {
    expect(definePlatform(platform)).toBe(platform)
  })

  it.each([
    [{ ...acme, name: '' }, "platform.name: ''"],
    [{ ...acme, levels: [] }, 'platform.levels: an array'],
    [{ ...acme, levels: [{ name: 'exec', prompt: /^(\w+)\$$/ }] }, 'platform.levels.0.prompt: an object'],
    [{ ...acme, levels: [{ name: 'exec', prompt: /^(?<base>\w+)\$$/g }] }, 'platform.levels.0.prompt: an object'],
    [{ ...acme, levels: [{ name: 'exec' }] }, 'platform.levels.0.prompt: nothing'],
    [{ ...acme, levels: [acme.levels[0], { name: 'enable', prompt: /(?<base>x)/, leave: 'exit' }] }, 'platform.levels.1.enter: nothing'],
    [{ ...acme, levels: [acme.levels[0], { name: 'enable', prompt: /(?<base>x)/, enter: 'en' }] }, 'platform.levels.1.leave: nothing'],
    [
      { ...acme, levels: [acme.levels[0], { name: 'exec', prompt: /(?<base>x)/, enter: 'en', leave: 'exit' }] },
      'platform.levels.1.name: a name that stands twice',
    ],
    [{ ...acme, errors: 'Oops' }, "platform.errors: 'Oops'"],
    [{ ...acme, errors: ['Oops'] }, 'platform.errors: an array'],
    [{ ...acme, errors: undefined }, 'platform.errors: nothing'],
    [{ ...acme, health: undefined }, 'platform.health: nothing'],
    [{ ...acme, pager: '--More--' }, "platform.pager: '--More--'"],
    [{ ...acme, prepare: 'no page' }, "platform.prepare: 'no page'"],
    [{ ...acme, greetings: [{ expect: 'y/n', send: 'n' }] }, 'platform.greetings: an array'],
    [{ ...acme, commit: 'commit' }, "platform.commit: 'commit'"],
    [{ ...acme, elevate: { send: 'super' } }, 'platform.elevate: an object'],
    [{ ...acme, prompts: {} }, 'platform.prompts: an unknown option'],
    [null, 'platform: null'],
  ])('refuses %#', (platform, problem) => {
    expect(problemsOf(platform)).toEqual([problem])
  })

  it('names every problem at once', () => {
    expect(problemsOf({})).toEqual([
      'platform.name: nothing',
      'platform.levels: nothing',
      'platform.errors: nothing',
      'platform.health: nothing',
    ])
  })
})
