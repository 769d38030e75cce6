import { NEVER } from './clock.ts'
import type { Connection } from './connection.ts'
import type { Core } from './core.ts'

/** A pool smaller than this never panics. */
const SMALLEST = 3

/**
 * When most connections of a pool fail their checks, it is the endpoint, or the check itself, that is bad, and
 * rebuilding them all would only do harm. While the panic lasts failed checks set no mark, and one probe
 * connection finds out whether a new connection would be any better.
 */
export class Panic<Client> {
  readonly #core: Core<Client>
  /** Set while a probe is connecting or being checked. */
  probing = false
  /** Whether a probe has shown that new connections are well: who fails now is to blame, until few do. */
  #cleared = false
  /** When the next probe may begin, ms of the clock. */
  #probeAfter = 0

  constructor(core: Core<Client>) {
    this.#core = core
  }

  /** Counts who fails, and begins or ends the panic accordingly. */
  review(): void {
    const core = this.#core
    const { panicThreshold } = core.options
    const { size } = core
    const failing = this.#failing().size
    if (size < SMALLEST || failing < panicThreshold * size) {
      core.panic = false
      this.#cleared = false
    } else if (failing > panicThreshold * size && !this.#cleared) {
      core.panic = true
    }
  }

  /** Whether a probe connection is wanted now. */
  get probeWanted(): boolean {
    return this.#core.panic && !this.probing && this.#core.clock.now() >= this.#probeAfter
  }

  /** Who gives way to the probe when there is no room: the one that has failed longest and is not borrowed. */
  get victim(): Connection<Client> | undefined {
    let longest: Connection<Client> | undefined
    for (const connection of this.#failing()) {
      if (connection.state === 'acquired' || connection.state === 'rebuilding') continue
      if (longest === undefined || connection.failingSince < longest.failingSince) longest = connection
    }
    return longest
  }

  probePassed(): void {
    this.probing = false
    this.#core.panic = false
    this.#cleared = true
  }

  /** Whoever is checked again after that asks for the next probe. */
  probeFailed(): void {
    this.probing = false
    const { clock, options } = this.#core
    this.#probeAfter = clock.now() + options.healthRecheckInterval
  }

  /** Those that fail now: what has aged counts no more. */
  #failing(): ReadonlySet<Connection<Client>> {
    const { clock, failing, options } = this.#core
    const window = options.healthCheckInterval === NEVER ? options.healthRecheckInterval : options.healthCheckInterval
    const since = clock.now() - window
    for (const connection of failing) {
      if (connection.lastFailedAt >= since) break
      failing.delete(connection)
    }
    return failing
  }
}
