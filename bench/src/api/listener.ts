import { type ClientRequest, get } from 'node:http'

/** One who follows the events of a server, with a sample of each pool every second. */
export class Listener {
  /** How old what it heard was, ms. */
  readonly toldMs: number[] = []
  readonly #request: ClientRequest
  readonly #heard: () => void
  #buffer = ''
  /** The number of the latest event that it has heard of, if none is skipped: told, or told to have been left out. */
  seq = 0
  readonly ready: Promise<void>

  /** @param heard is called whenever something has come */
  constructor(url: string, heard: () => void) {
    this.#heard = heard
    this.#request = get(`${url}/api/v1/events/stream?samples=true`)
    this.ready = new Promise((resolve, reject) => {
      this.#request.on('response', (response) => {
        if (response.statusCode !== 200) reject(new Error(`a listener is answered with ${response.statusCode}`))
        response.setEncoding('utf8').on('data', (chunk: string) => {
          this.#read(chunk)
          resolve()
        })
        response.on('error', () => {})
      })
      this.#request.on('error', reject)
    })
  }

  close(): void {
    this.#request.destroy()
  }

  #read(chunk: string): void {
    const messages = (this.#buffer + chunk).split('\n\n')
    this.#buffer = messages.pop() ?? ''
    const now = Date.now()
    for (const message of messages) {
      const type = /^event: (.+)$/m.exec(message)?.[1]
      if (type === 'hello') this.seq = Number(/"seq":(\d+)/.exec(message)?.[1])
      else if (type === 'left-out') this.seq += leftOut(message)
      else if (type === 'event' || type === 'samples') {
        if (type === 'event') this.seq++
        // A text is read faster than an object: this process has other things to do.
        this.toldMs.push(now - Number(/"timestamp":(\d+)/.exec(message)?.[1]))
      }
    }
    this.#heard()
  }
}

function leftOut(message: string): number {
  const counts = JSON.parse(/^data: (.+)$/m.exec(message)?.[1] ?? '{}') as Record<string, number>
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
