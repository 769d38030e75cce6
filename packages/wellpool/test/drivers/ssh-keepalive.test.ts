import { afterEach, expect, it, vi } from 'vitest'
import { keepAlive } from '../../src/drivers/ssh-keepalive.ts'
import type { SshLink } from '../../src/drivers/ssh-link.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

it('looks as soon as what has come in is read, and does not wait for something else to wake the event loop', async () => {
  const { setImmediate: next } = globalThis
  const referenced: boolean[] = []
  vi.spyOn(globalThis, 'setImmediate').mockImplementation(((callback: () => void) => {
    const immediate = next(callback)
    queueMicrotask(() => referenced.push(immediate.hasRef()))
    return immediate
  }) as typeof setImmediate)
  const lost = new Promise<unknown>((resolve) => {
    let end = (): void => {}
    const link = {
      name: 'silent',
      bytesRead: 0,
      client: {},
      onLost: (listener: () => void) => {
        end = listener
      },
      destroy: (error: unknown) => {
        end()
        resolve(error)
      },
    }
    keepAlive(link as unknown as SshLink, 50, 2)
  })
  expect(await lost).toMatchObject({ message: 'silent: no sign of life for 150 ms, 2 requests unanswered (keepalive)' })
  expect(referenced.length).toBeGreaterThanOrEqual(3)
  expect(referenced).not.toContain(false)
})
