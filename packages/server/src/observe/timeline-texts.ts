import type { Timeline } from './timeline.ts'

/** So many are kept: those of the pools that people look at now. */
const MAX_KEPT = 8

/**
 * Timelines as answers, in bytes. One has hundreds of samples and stays the same for a second, in which many may ask for
 * it: it is made once.
 */
export class TimelineTexts {
  readonly #timeline: Timeline
  readonly #texts = new Map<string, Buffer>()

  constructor(timeline: Timeline) {
    this.#timeline = timeline
    timeline.on(() => this.#texts.clear())
  }

  /** `{ "samples": […] }` of a pool, in JSON. */
  get(pool: string, seconds?: number): Buffer {
    const key = `${seconds ?? ''} ${pool}`
    let text = this.#texts.get(key)
    if (text === undefined) {
      if (this.#texts.size >= MAX_KEPT) this.#texts.clear()
      text = Buffer.from(JSON.stringify({ samples: this.#timeline.samples(pool, seconds) }))
      this.#texts.set(key, text)
    }
    return text
  }
}
