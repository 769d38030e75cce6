import { Alarm, type Clock, systemClock } from '../engine/clock.ts'
import { formatMs } from '../engine/duration.ts'
import { SshError } from './ssh-errors.ts'
import { ping } from './ssh-internals.ts'
import type { SshLink } from './ssh-link.ts'

/** A look that comes after so many intervals is late. */
const LATE = 1.5

/**
 * Asks the peer for a sign of life whenever nothing has come from it for `intervalMs`; the link is lost when `misses`
 * of them in a row have brought nothing. Any byte is a sign of life: a device that is busy with a long output, or that
 * does not answer such requests but still talks, is alive.
 *
 * It ends with the link, and never holds the process open.
 *
 * @param clock where it takes the time from
 */
export function keepAlive(link: SshLink, intervalMs: number, misses: number, clock: Clock = systemClock): void {
  if (intervalMs === 0) return
  let bytes = link.bytesRead
  let unanswered = 0
  let lastLook = clock.now()
  const look = (): void => {
    // Whoever was busy or asleep for that long has not listened, and can't say that nobody spoke.
    const late = clock.now() - lastLook > LATE * intervalMs
    lastLook = clock.now()
    if (late) unanswered = 0
    if (link.bytesRead !== bytes) {
      bytes = link.bytesRead
      unanswered = 0
      return
    }
    if (unanswered === misses) {
      const silence = formatMs((misses + 1) * intervalMs)
      link.destroy(
        new SshError('SSH_CONNECTION_LOST', `${link.name}: no sign of life for ${silence}, ${misses} requests unanswered (keepalive)`),
      )
      return
    }
    unanswered++
    // Its answer is a sign of life like any other; that the connection has ended is reported by itself.
    ping(link.client).catch(() => {})
  }
  const alarm = new Alarm(clock, () => {
    alarm.set(intervalMs)
    // What came in while the process was busy or asleep is read first.
    clock.afterPoll(look)
  })
  alarm.set(intervalMs)
  link.onLost(() => alarm.clear())
}
