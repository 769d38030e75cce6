/** One server-sent event. */
export interface SseMessage {
  readonly type: string
  readonly data: string
}

/** Cuts a stream of server-sent events into messages, wherever its chunks end: in a line, between CR and LF. */
export class SseParser {
  #rest = ''
  #type = ''
  #data: string[] = []

  /** @returns the messages that are complete now */
  push(chunk: string): SseMessage[] {
    const messages: SseMessage[] = []
    const text = this.#rest + chunk
    let start = 0
    for (;;) {
      const end = lineEnd(text, start)
      if (end === undefined) break
      const message = this.#line(text.slice(start, end.at))
      if (message !== undefined) messages.push(message)
      start = end.next
    }
    this.#rest = text.slice(start)
    return messages
  }

  #line(line: string): SseMessage | undefined {
    if (line === '') return this.#finish()
    const colon = line.indexOf(':')
    // A line that begins with a colon is a sign of life.
    if (colon === 0) return undefined
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') this.#type = value
    else if (field === 'data') this.#data.push(value)
    return undefined
  }

  #finish(): SseMessage | undefined {
    const message = this.#data.length === 0 ? undefined : { type: this.#type || 'message', data: this.#data.join('\n') }
    this.#type = ''
    this.#data = []
    return message
  }
}

/** The next end of a line; undefined while it has not come, or may be half of one. */
function lineEnd(text: string, from: number): { readonly at: number; readonly next: number } | undefined {
  for (let at = from; at < text.length; at++) {
    const char = text[at]
    if (char === '\n') return { at, next: at + 1 }
    if (char !== '\r') continue
    if (at + 1 === text.length) return undefined
    return { at, next: text[at + 1] === '\n' ? at + 2 : at + 1 }
  }
  return undefined
}
