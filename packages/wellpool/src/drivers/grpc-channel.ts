import type { Channel, ChannelInterface } from '@grpc/grpc-js'
import { status } from '@grpc/grpc-js'
import { ANSWERED, GrpcConnectionError } from './grpc-errors.ts'

type Call = ReturnType<ChannelInterface['createCall']>
type CallParameters = Parameters<ChannelInterface['createCall']>

/**
 * The channel that borrowers' calls go through: grpc-js' own, but it never connects by itself, and it knows which
 * calls are in flight.
 */
export class GrpcChannel implements ChannelInterface {
  readonly #channel: Channel
  readonly #isOpen: () => boolean
  readonly #calls = new Set<Call>()
  #refusal: { readonly reason: 'lost' | 'leaving'; readonly details: string; readonly cause: unknown } | undefined
  /** Called when a borrower closes its client. */
  onClose: () => void = () => {}

  /** @param isOpen whether the connection's socket is open */
  constructor(channel: Channel, isOpen: () => boolean) {
    this.#channel = channel
    this.#isOpen = isOpen
  }

  /** From now on calls are refused: they would make grpc-js connect beneath the pool. The first reason is told. */
  refuse(reason: 'lost' | 'leaving', details: string, cause?: unknown): void {
    if (this.#refusal?.reason !== 'lost') this.#refusal = { reason, details, cause }
  }

  /** @throws GrpcConnectionError when calls are refused. */
  mustServe(): void {
    if (this.#refusal === undefined) return
    const { reason, details, cause } = this.#refusal
    throw new GrpcConnectionError(reason, details, cause)
  }

  /** Whether calls are in flight. */
  get busy(): boolean {
    return this.#calls.size > 0
  }

  cancelCalls(): void {
    for (const call of this.#calls) call.cancelWithStatus(status.CANCELLED, 'the lease was released before the call had ended')
  }

  createCall(...parameters: CallParameters): Call {
    this.mustServe()
    const call = this.#channel.createCall(...parameters)
    const start = call.start.bind(call)
    call.start = (metadata, listener) => {
      this.#calls.add(call)
      start(metadata, {
        onReceiveMetadata: (received) => listener.onReceiveMetadata(received),
        onReceiveMessage: (message: unknown) => listener.onReceiveMessage(message),
        onReceiveStatus: (ended) => {
          this.#calls.delete(call)
          const answered = ended.code === status.UNAVAILABLE && this.#isOpen()
          // grpc-js makes the error of the status, with all that is in it.
          listener.onReceiveStatus(answered ? Object.assign(ended, { [ANSWERED]: true }) : ended)
        },
      })
    }
    return call
  }

  close(): void {
    this.onClose()
  }

  getTarget(): string {
    return this.#channel.getTarget()
  }

  /** Whatever is asked for, it does not connect. */
  getConnectivityState(_tryToConnect: boolean): ReturnType<ChannelInterface['getConnectivityState']> {
    return this.#channel.getConnectivityState(false)
  }

  watchConnectivityState(...parameters: Parameters<ChannelInterface['watchConnectivityState']>): void {
    this.#channel.watchConnectivityState(...parameters)
  }

  getChannelzRef(): ReturnType<ChannelInterface['getChannelzRef']> {
    return this.#channel.getChannelzRef()
  }
}
