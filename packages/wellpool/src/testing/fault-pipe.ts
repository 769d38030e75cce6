import type { Socket } from 'node:net'
import { Alarm, systemClock } from '../engine/clock.ts'
import type { Fault, FlowCount } from './fault.ts'

/** What a pipe holds before it stops reading: what a sender's and a receiver's kernel would buffer. */
const HIGH_WATER_BYTES = 1 << 20
/** With a bandwidth limit bytes are passed on this many times a second. */
const SLICES_PER_SECOND = 20

/** What has arrived and is to be handed on. Times as the clock has them, ms. */
interface Entry {
  readonly what: Buffer | 'end' | 'reset'
  readonly at: number
  /** What each latency adds to it. */
  readonly delays: Map<Fault, number>
  /** Not before this. */
  due: number
}

/**
 * One direction of a flow: takes what arrives at the source and hands it to the sink, in order, as late, as
 * slowly, or not at all, as the faults say. Ends and resets queue up behind the bytes that came before them.
 */
export class FaultPipe {
  readonly #source: Socket
  readonly #random: () => number
  readonly #changed: () => void
  #sink: Socket | undefined
  #faults: readonly Fault[] = []
  #queue: Entry[] = []
  #received = 0
  #delivered = 0
  #held = 0
  #open = true
  #lastDue = 0
  #freeAt = 0
  #rate = Number.POSITIVE_INFINITY
  readonly #next = new Alarm(systemClock, () => this.#pump())

  constructor(source: Socket, random: () => number, changed: () => void) {
    this.#source = source
    this.#random = random
    this.#changed = changed
    source.on('data', (chunk: Buffer) => {
      this.#received += chunk.length
      this.#held += chunk.length
      this.#push(chunk)
      if (this.#held > HIGH_WATER_BYTES) source.pause()
    })
    source.on('end', () => this.#push('end'))
    source.on('error', () => this.#push('reset'))
  }

  get count(): FlowCount {
    return { received: this.#received, delivered: this.#delivered }
  }

  /** Says where the bytes go. Until then they are held. */
  open(sink: Socket): void {
    this.#sink = sink
    sink.on('drain', () => this.#pump())
    this.#pump()
  }

  /** Replaces the faults. Bytes that were delayed by one that is gone are delivered as if it had never been. */
  setFaults(faults: readonly Fault[]): void {
    this.#faults = faults
    this.#lastDue = 0
    for (const entry of this.#queue) {
      for (const fault of entry.delays.keys()) if (!faults.includes(fault)) entry.delays.delete(fault)
      this.#schedule(entry)
    }
    const rate = this.#bytesPerSecond()
    // What went last at another rate has nothing to say about when the next goes.
    if (rate !== this.#rate) this.#freeAt = 0
    this.#rate = rate
    this.#pump()
  }

  /** Lets go of what is held and of what will come: the sink is closed. */
  discard(): void {
    this.#next.clear()
    this.#open = false
    this.#queue = []
    this.#release(this.#held)
  }

  #push(what: Entry['what']): void {
    if (!this.#open) {
      this.#held = 0
      return
    }
    const entry: Entry = { what, at: systemClock.now(), delays: this.#latencies(), due: 0 }
    this.#schedule(entry)
    this.#queue.push(entry)
    this.#pump()
    this.#changed()
  }

  #schedule(entry: Entry): void {
    let due = entry.at
    for (const ms of entry.delays.values()) due += ms
    // Never before what came earlier, however the jitter falls: TCP keeps the order.
    this.#lastDue = Math.max(this.#lastDue, due)
    entry.due = this.#lastDue
  }

  #pump(): void {
    this.#next.clear()
    if (this.#silent()) return
    for (let head = this.#queue[0]; head !== undefined && this.#sink !== undefined; head = this.#queue[0]) {
      const wait = Math.max(head.due, this.#freeAt) - systemClock.now()
      if (wait > 0) {
        this.#next.set(wait)
        return
      }
      if (this.#sink.writableNeedDrain) return
      this.#queue.shift()
      this.#deliver(head, this.#sink)
    }
  }

  #deliver({ what, ...entry }: Entry, sink: Socket): void {
    if (what === 'reset') sink.resetAndDestroy()
    else if (what === 'end') sink.end()
    else {
      const rate = this.#rate
      const slice = what.subarray(0, Math.max(1, Math.floor(rate / SLICES_PER_SECOND)))
      if (slice.length < what.length) this.#queue.unshift({ ...entry, what: what.subarray(slice.length) })
      this.#freeAt = systemClock.now() + (slice.length / rate) * 1000
      this.#delivered += slice.length
      if (sink.writable) sink.write(slice)
      this.#release(slice.length)
    }
    this.#changed()
  }

  /** Reads on, so that the source's end is noticed, once there is room again. */
  #release(bytes: number): void {
    this.#held -= bytes
    if (this.#held <= HIGH_WATER_BYTES && this.#source.isPaused()) this.#source.resume()
  }

  #silent(): boolean {
    return this.#faults.some(({ kind }) => kind === 'silence' || kind === 'unanswered')
  }

  #latencies(): Map<Fault, number> {
    const delays = new Map<Fault, number>()
    for (const fault of this.#faults) {
      if (fault.kind !== 'latency') continue
      delays.set(fault, (delays.get(fault) ?? 0) + fault.ms + (fault.jitter ?? 0) * this.#random())
    }
    return delays
  }

  #bytesPerSecond(): number {
    return Math.min(...this.#faults.map((fault) => (fault.kind === 'bandwidth' ? fault.bytesPerSecond : Number.POSITIVE_INFINITY)))
  }
}
