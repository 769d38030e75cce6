import { expect, it } from 'vitest'
import { Secrets } from '../../src/shared/secrets.ts'

it('knows what lasts and what was added, plain and encoded, the longest first', () => {
  const secrets = new Secrets(['a/b', undefined, () => 'asked for later', ''])
  secrets.add('longer one')
  expect(secrets.all).toEqual(['longer%20one', 'longer one', 'a%2Fb', 'a/b'])
})

it('remembers a hundred that were added, those that were used last, and what lasts for ever', () => {
  const secrets = new Secrets(['lasting'])
  for (let count = 0; count < 100; count++) secrets.add(`token-${count}`)
  secrets.add('token-0')
  secrets.add('one more')
  expect(secrets.all).toHaveLength(102)
  expect(secrets.all).toEqual(expect.arrayContaining(['lasting', 'token-0', 'token-2', 'one more', 'one%20more']))
  expect(secrets.all).not.toContain('token-1')
})
