/** Calls back before the next frame is drawn. `requestAnimationFrame` fits. */
export type OnFrame = (callback: () => void) => void

/** So many cells are drawn anew in one frame: few enough that a frame never takes long on a slow machine. */
const PER_FRAME = 150

/**
 * Spreads updates over frames. Of each key only the latest counts, so that however fast they come, what waits is never
 * more than there are keys; and a page that is not shown, which gets no frames, is not behind when it is.
 */
export class FrameQueue<Value> {
  readonly #apply: (updates: readonly (readonly [key: string, value: Value])[]) => void
  readonly #onFrame: OnFrame
  readonly #pending = new Map<string, Value>()
  #asked = false

  constructor(apply: (updates: readonly (readonly [key: string, value: Value])[]) => void, onFrame: OnFrame) {
    this.#apply = apply
    this.#onFrame = onFrame
  }

  set(key: string, value: Value): void {
    this.#pending.set(key, value)
    this.#ask()
  }

  /** What waits for a key, if something does. */
  pending(key: string): Value | undefined {
    return this.#pending.get(key)
  }

  delete(key: string): void {
    this.#pending.delete(key)
  }

  #ask(): void {
    if (this.#asked || this.#pending.size === 0) return
    this.#asked = true
    this.#onFrame(() => {
      this.#asked = false
      const updates: (readonly [string, Value])[] = []
      for (const entry of this.#pending) {
        if (updates.length === PER_FRAME) break
        updates.push(entry)
      }
      for (const [key] of updates) this.#pending.delete(key)
      this.#apply(updates)
      this.#ask()
    })
  }
}
