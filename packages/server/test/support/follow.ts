import { get, type IncomingMessage } from 'node:http'
import { onTestFinished } from 'vitest'

/** One message of a stream. */
export interface Message {
  readonly id?: string
  readonly event: string
  readonly data: ReturnType<typeof JSON.parse>
}

/** One who follows a stream of events. */
export interface Follower {
  readonly messages: readonly Message[]
  /** The data of the messages of a kind. */
  readonly of: (event: string) => Message['data'][]
  /** How many events it has heard of: told, or told to have been left out. */
  readonly heardOf: () => number
  /** Takes nothing any more, until it is to go on. */
  readonly pause: () => void
  readonly resume: () => void
  readonly stop: () => void
}

/** Follows a stream and collects what comes. */
export function follow(url: string, query = '', headers: Record<string, string> = {}): Follower {
  const messages: Message[] = []
  let buffer = ''
  let response: IncomingMessage | undefined
  const request = get(`${url}/api/v1/events/stream${query}`, { headers }, (answer) => {
    response = answer
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (buffer + chunk).split('\n\n')
      buffer = parts.pop() ?? ''
      for (const part of parts) {
        const fields = Object.fromEntries(part.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)))
        if (fields.event !== undefined)
          messages.push({ ...(fields.id !== undefined && { id: fields.id }), event: fields.event, data: JSON.parse(fields.data) })
      }
    })
    answer.on('error', () => {})
  })
  request.on('error', () => {})
  onTestFinished(() => void request.destroy())
  const of = (event: string) => messages.filter((message) => message.event === event).map(({ data }) => data)
  const leftOut = (): number => of('left-out').reduce((sum, counts) => sum + Object.values<number>(counts).reduce((a, b) => a + b, 0), 0)
  return {
    messages,
    of,
    heardOf: () => of('event').length + leftOut(),
    pause: () => void response?.pause(),
    resume: () => void response?.resume(),
    stop: () => void request.destroy(),
  }
}
