import { describe, expect, it, vi } from 'vitest'
import { askForPassword } from '../../src/shared/password.ts'

const never = new AbortController().signal

describe('askForPassword', () => {
  it('takes a text as it is, and none as none', async () => {
    expect(await askForPassword('x', never)).toBe('x')
    expect(await askForPassword(undefined, never)).toBeUndefined()
  })

  it('asks a function each time, and hands it the signal', async () => {
    const giver = vi.fn(() => Promise.resolve('token'))
    expect([await askForPassword(giver, never), await askForPassword(giver, never)]).toEqual(['token', 'token'])
    expect(giver.mock.calls).toEqual([[{ signal: never }], [{ signal: never }]])
  })

  it('rejects when the function throws, and when it returns no text, which it does not show', async () => {
    const failure = new Error('the vault is sealed')
    const failing = (): string => {
      throw failure
    }
    await expect(askForPassword(failing, never)).rejects.toBe(failure)
    await expect(askForPassword((() => 4711) as never, never)).rejects.toThrow(
      /^wrong option: password: got a function that returned a number, allowed/,
    )
    await expect(askForPassword((() => undefined) as never, never, 'enableSecret')).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      problems: [{ path: 'enableSecret', given: 'a function that returned undefined' }],
    })
  })

  it('does not wait for a function when the signal is aborted', async () => {
    const controller = new AbortController()
    const asked = askForPassword(() => new Promise(() => {}), controller.signal)
    const reason = new Error('given up')
    controller.abort(reason)
    await expect(asked).rejects.toBe(reason)
  })
})
