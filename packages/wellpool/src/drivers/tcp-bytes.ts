const FIRST_CAPACITY = 1024
/** An empty buffer that has grown beyond this is let go. */
const KEPT_CAPACITY = 64 * 1024

/** Bytes that have arrived and are not a whole frame yet. Each is copied once on its way in and once on its way out. */
export class TcpBytes {
  #buffer = Buffer.alloc(0)
  #start = 0
  #end = 0

  get length(): number {
    return this.#end - this.#start
  }

  push(chunk: Buffer): void {
    this.#makeRoom(chunk.length)
    chunk.copy(this.#buffer, this.#end)
    this.#end += chunk.length
  }

  /** Where this text of bytes begins, from an offset on; -1 if it is not there. */
  indexOf(bytes: Buffer, offset: number): number {
    return this.#buffer.subarray(this.#start, this.#end).indexOf(bytes, offset)
  }

  /** A look at the first bytes, which the next call may change. */
  peek(count: number): Buffer {
    return this.#buffer.subarray(this.#start, this.#start + count)
  }

  /** Takes the first bytes out. */
  take(count: number): Buffer {
    const taken = Buffer.from(this.peek(count))
    this.#start += count
    if (this.#start === this.#end) this.#empty()
    return taken
  }

  #empty(): void {
    this.#start = 0
    this.#end = 0
    if (this.#buffer.length > KEPT_CAPACITY) this.#buffer = Buffer.alloc(0)
  }

  #makeRoom(count: number): void {
    if (this.#end + count <= this.#buffer.length) return
    const { length } = this
    const room = length + count
    // Doubled, so that a long frame in many small pieces is not copied for each of them.
    const target = room <= this.#buffer.length / 2 ? this.#buffer : Buffer.alloc(Math.max(FIRST_CAPACITY, 2 * room))
    this.#buffer.copy(target, 0, this.#start, this.#end)
    this.#buffer = target
    this.#start = 0
    this.#end = length
  }
}
