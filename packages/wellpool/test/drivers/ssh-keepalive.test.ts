import { expect, it } from 'vitest'
import { keepAlive } from '../../src/drivers/ssh-keepalive.ts'
import type { SshLink } from '../../src/drivers/ssh-link.ts'
import { systemClock } from '../../src/engine/clock.ts'
import { FakeClock } from '../../src/testing/index.ts'

/** A link that hears nothing, and what it was lost for. */
function silentLink(): { link: SshLink; lost: unknown[] } {
  const lost: unknown[] = []
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
      lost.push(error)
    },
  }
  return { link: link as unknown as SshLink, lost }
}

it('loses a silent link with the look after the last request that had no answer, and leaves no timer', async () => {
  const clock = new FakeClock()
  const { link, lost } = silentLink()
  keepAlive(link, 1000, 2, clock)
  await clock.advance(2999)
  expect(lost).toEqual([])
  await clock.advance(1)
  expect(lost).toMatchObject([{ message: 'silent: no sign of life for 3000 ms, 2 requests unanswered (keepalive)' }])
  expect(clock.counts()).toEqual({ timers: 0, referenced: 0, polls: 0 })
})

it('looks as soon as what has come in is read, and does not wait for something else to wake the event loop', async () => {
  const { setImmediate: next } = globalThis
  const referenced: boolean[] = []
  const immediates = Object.assign((callback: () => void) => {
    const immediate = next(callback)
    queueMicrotask(() => referenced.push(immediate.hasRef()))
    return immediate
  }, next)
  globalThis.setImmediate = immediates as typeof next
  try {
    await new Promise<void>((resolve) => systemClock.afterPoll(resolve))
  } finally {
    globalThis.setImmediate = next
  }
  expect(referenced).toEqual([true])
})
