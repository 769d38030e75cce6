/** What the test service of {@link startGrpcServer} can do. Messages are JSON. */
export const TEST_SERVICE = {
  /** The text itself. */
  Echo: method('Echo'),
  /** The client's address, as the server sees it: the connection's id. */
  Id: method('Id'),
  /** `'slow'`, after so many ms. */
  Slow: method('Slow'),
  /** Nothing, ever. */
  Silent: method('Silent'),
  /** A failure with this status: `code`, and `details` if there are any. */
  Fail: method('Fail'),
  /** The numbers up to this one, as a stream, one each 10 ms. */
  Count: { ...method('Count'), responseStream: true },
} as const

/** grpc-js takes a message that is falsy for none: what is sent stands in an object. */
export interface Message {
  readonly value: unknown
}

interface Method {
  readonly path: string
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly requestSerialize: (message: Message) => Buffer
  readonly requestDeserialize: (bytes: Buffer) => Message
  readonly responseSerialize: (message: Message) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => Message
}

function method(name: string): Method {
  const write = (message: Message): Buffer => Buffer.from(JSON.stringify(message))
  const read = (bytes: Buffer): Message => JSON.parse(String(bytes)) as Message
  return {
    path: `/wellpool.Test/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: write,
    requestDeserialize: read,
    responseSerialize: write,
    responseDeserialize: read,
  }
}
