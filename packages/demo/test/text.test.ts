import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { messageOf } from '../src/text.ts'

it('says what went wrong at each address of a host of which none answers', async () => {
  const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }))
  const socket = connect({ host: 'twice.test', port: 1, lookup: (_, __, found) => found(null, addresses) })
  const error = await once(socket, 'connect').catch((reason: unknown) => reason)
  expect(error).toMatchObject({ message: '' })
  expect(messageOf(error)).toBe('connect ECONNREFUSED 127.0.0.1:1, connect ECONNREFUSED 127.0.0.2:1')
})

it('says what else was thrown', () => {
  expect(messageOf(new Error('no'))).toBe('no')
  expect(messageOf('no')).toBe('no')
})
