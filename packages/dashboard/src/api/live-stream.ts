import type { Calls } from './calls.ts'
import { RefusedError, UnreachableError } from './client.ts'
import type { EventRecord, Sample } from './contract.ts'
import { SseParser } from './sse-parser.ts'

/** What is told of the stream. */
export interface StreamListener {
  /** It has begun. @param seq the number of the latest event @param isAnother whether these are the events of another agent */
  readonly opened: (seq: number, isAnother: boolean) => void
  readonly event: (event: EventRecord) => void
  readonly samples: (pools: Readonly<Record<string, Sample>>) => void
  /** Events that were not sent, by name: there were too many. */
  readonly leftOut: (counts: Readonly<Record<string, number>>) => void
  /** It has ended. @param nextTryAt when the next try is made, ms since 1970 */
  readonly lost: (nextTryAt: number) => void
  /** The agent does not let this page in: no further try is made. */
  readonly refused: (error: RefusedError) => void
}

const BASE_MS = 500
const CAP_MS = 15_000
/** An agent says something every 15 s at least; one that is silent for longer than this has gone. */
const SILENCE_MS = 25_000

/**
 * How long to wait before a try: half of it by the number of tries, half by chance, so that the pages of a whole team
 * don't all knock at once at an agent that has come back.
 */
export function delayBefore(failures: number, random: () => number): number {
  const full = Math.min(CAP_MS, BASE_MS * 2 ** Math.max(0, failures - 1))
  return Math.round(full / 2 + (random() * full) / 2)
}

/** Follows what happens, for as long as the page is open, over every end of the stream. */
export class LiveStream {
  readonly #calls: Calls
  readonly #listener: StreamListener
  readonly #random: () => number
  #controller: AbortController | undefined
  #wake: (() => void) | undefined
  #lastSeq: number | undefined
  /** The agent whose events were numbered so. */
  #instance: string | undefined

  constructor(calls: Calls, listener: StreamListener, random: () => number = Math.random) {
    this.#calls = calls
    this.#listener = listener
    this.#random = random
  }

  /** @param after begins with what came after this event */
  start(after: number): void {
    this.stop()
    this.#lastSeq = after
    this.#instance = undefined
    this.#controller = new AbortController()
    void this.#run(this.#controller.signal)
  }

  stop(): void {
    this.#controller?.abort()
    this.#wake?.()
  }

  /** Does not wait for the next try any longer. */
  tryNow(): void {
    this.#wake?.()
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0
    while (!signal.aborted) {
      try {
        await this.#follow(signal, () => {
          failures = 0
        })
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof RefusedError && (error.status === 401 || error.status === 403)) {
          this.#listener.refused(error)
          return
        }
      }
      if (signal.aborted) return
      const delay = delayBefore(++failures, this.#random)
      this.#listener.lost(Date.now() + delay)
      await this.#wait(delay)
    }
  }

  async #follow(signal: AbortSignal, onOpened: () => void): Promise<void> {
    const controller = new AbortController()
    const both = AbortSignal.any([signal, controller.signal])
    const giveUp = (): void => controller.abort(new UnreachableError('the stream has fallen silent'))
    let timer = setTimeout(giveUp, SILENCE_MS)
    try {
      const { body } = await this.#calls.stream(this.#lastSeq, both)
      if (body === null) return
      const parser = new SseParser()
      const reader = body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        clearTimeout(timer)
        timer = setTimeout(giveUp, SILENCE_MS)
        for (const { type, data } of parser.push(value)) this.#tell(type, JSON.parse(data), onOpened)
      }
    } finally {
      clearTimeout(timer)
    }
  }

  #tell(type: string, data: unknown, onOpened: () => void): void {
    if (type === 'event') {
      const event = data as EventRecord
      this.#lastSeq = event.seq
      this.#listener.event(event)
    } else if (type === 'samples') {
      this.#listener.samples((data as { pools: Record<string, Sample> }).pools)
    } else if (type === 'left-out') {
      this.#listener.leftOut(data as Record<string, number>)
    } else if (type === 'hello') {
      const { seq, instance } = data as { seq: number; instance?: string }
      onOpened()
      // An agent that was started again counts from 1, and may have counted farther by now than this page has.
      const isAnother = (this.#instance !== undefined && instance !== this.#instance) || seq < (this.#lastSeq ?? 0)
      this.#instance = instance
      if (isAnother) this.#lastSeq = seq
      this.#listener.opened(seq, isAnother)
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
