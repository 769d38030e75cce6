import type { Socket } from 'node:net'
import { systemClock } from '../engine/clock.ts'
import { RedisTraces } from './redis-traces.ts'

/** What is used of a client of node-redis, whatever modules, scripts and types it was made with. */
export interface RedisClientLike {
  readonly isOpen: boolean
  readonly isPubSubActive: boolean
  connect(): Promise<unknown>
  close(): Promise<unknown>
  destroy(): void
  reset(): Promise<unknown>
  ref(): void
  unref(): void
  on(event: string, listener: (error: unknown) => void): unknown
}

type Arguments = readonly unknown[]
type Commands = readonly { readonly args: Arguments }[]
type Send = (this: unknown, args: Arguments, ...more: unknown[]) => Promise<unknown>
type Execute = (this: unknown, commands: Commands, ...more: unknown[]) => Promise<unknown>
type Reset = (this: unknown) => Promise<unknown>
type Monitor = (this: unknown, ...args: unknown[]) => Promise<unknown>

/** What node-redis' client has inside, in its versions 5 and 6. All of its methods end here. */
interface ClientInternals {
  sendCommand: Send
  _executeMulti: Execute
  _executePipeline: Execute
  reset: Reset
  MONITOR: Monitor
  monitor: Monitor
}

/** What stands around each argument on its way, bytes. */
const FRAME = 6

/**
 * One client of node-redis, all of whose commands are overheard, however they are sent: for the traces that a
 * borrower's leave. The driver's own leave none.
 */
export class RedisWire<Client extends RedisClientLike> {
  readonly client: Client
  readonly traces: RedisTraces
  readonly #internals: ClientInternals
  readonly #send: Send
  readonly #reset: Reset
  #socket: Socket | undefined
  #inFlight = 0
  #sentBytes = 0
  #lastAt = systemClock.now()
  #bytesReadThen: number | undefined

  /** @param database the one that a session begins with */
  constructor(client: Client, database: number) {
    this.client = client
    this.traces = new RedisTraces(database)
    // A client may be a thin layer, of which there may be several, over this.
    this.#internals = (client as unknown as { _self: ClientInternals })._self
    this.#send = this.#internals.sendCommand
    this.#reset = this.#internals.reset
    this.#overhear()
  }

  /** How many commands of borrowers have not been answered. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** How much of borrowers' commands has been sent without an answer so far, about bytes. */
  get sentBytes(): number {
    return this.#sentBytes
  }

  /** When a command was last sent or answered, ms of the system's clock. */
  get lastAt(): number {
    return this.#lastAt
  }

  /** How many bytes have come in; undefined where that can't be seen. */
  get bytesRead(): number | undefined {
    return this.#socket?.bytesRead
  }

  /** How many bytes had come in when a command was last sent or answered. */
  get bytesReadThen(): number | undefined {
    return this.#bytesReadThen
  }

  /** Makes what comes in visible. */
  observe(socket: Socket | undefined): void {
    this.#socket = socket
  }

  /** Sends a command of the driver's own. */
  send(...args: string[]): Promise<unknown> {
    return this.#send.call(this.#internals, args)
  }

  /** Begins the session anew. */
  reset(): Promise<unknown> {
    return this.#reset.call(this.#internals)
  }

  #overhear(): void {
    const wire = this
    const internals = this.#internals
    const { sendCommand, _executeMulti: executeMulti, _executePipeline: executePipeline, MONITOR: monitor } = internals
    internals.sendCommand = function (args, ...more) {
      const waits = wire.traces.see(args)
      return wire.#follow(sendCommand.call(this, args, ...more), sizeOf(args), waits)
    }
    internals._executeMulti = function (commands, ...more) {
      // Within a transaction the server does not wait.
      for (const { args } of commands) if (wire.traces.see(args, true)) wire.traces.endWait()
      return wire.#follow(
        executeMulti.call(this, commands, ...more).then((replies) => {
          wire.traces.forgetWatch()
          return replies
        }),
        sizeOfAll(commands),
      )
    }
    internals._executePipeline = function (commands, ...more) {
      const waits = commands.filter(({ args }) => wire.traces.see(args, true)).length
      return wire.#follow(
        executePipeline.call(this, commands, ...more).then((replies) => {
          // It rejects with the first error, and then one that comes later may still wait.
          wire.traces.endWait(waits)
          return replies
        }),
        sizeOfAll(commands),
      )
    }
    internals.reset = () => {
      // It undoes what onConnect has done.
      wire.traces.setLeft()
      return wire.reset()
    }
    internals.monitor = internals.MONITOR = function (...args) {
      wire.traces.setLeft()
      return monitor.call(this, ...args)
    }
  }

  /** The same promise in effect: who does not wait for it hears of its failure as before. */
  #follow(answer: Promise<unknown>, size: number, waits = false): Promise<unknown> {
    this.#inFlight++
    this.#sentBytes += size
    this.#note()
    const settle = (): void => {
      this.#inFlight--
      this.#sentBytes -= size
      this.#note()
      if (waits) this.traces.endWait()
    }
    return answer.then(
      (reply) => {
        settle()
        return reply
      },
      (error: unknown) => {
        settle()
        throw error
      },
    )
  }

  #note(): void {
    this.#lastAt = systemClock.now()
    this.#bytesReadThen = this.bytesRead
  }
}

function sizeOfAll(commands: Commands): number {
  return commands.reduce((sum, { args }) => sum + sizeOf(args), 0)
}

/** Of texts the characters are counted: most are one byte each. */
function sizeOf(args: Arguments): number {
  return args.reduce<number>((sum, arg) => sum + FRAME + ((arg as { readonly length?: number } | undefined)?.length ?? 0), 0)
}
