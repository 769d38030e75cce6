import { Client, Metadata } from '@grpc/grpc-js'
import { TEST_SERVICE } from '@wellpool/servers'
import type { GrpcClientOptions } from '../../src/drivers/grpc.ts'

type Unary = Exclude<keyof typeof TEST_SERVICE, 'Count'>

/** A client of the test service, as a generator would make it. */
export class TestClient extends Client {
  constructor(address: string, credentials: ConstructorParameters<typeof Client>[1], options: Partial<GrpcClientOptions>) {
    super(address, credentials, options)
  }

  /** One call and its answer. */
  ask(method: Unary, value: unknown = null, options: { readonly deadline?: number } = {}): Promise<unknown> {
    const { path, requestSerialize, responseDeserialize } = TEST_SERVICE[method]
    return new Promise((resolve, reject) => {
      const deadline = options.deadline === undefined ? {} : { deadline: Date.now() + options.deadline }
      this.makeUnaryRequest(path, requestSerialize, responseDeserialize, { value }, new Metadata(), deadline, (error, answer) => {
        if (error === null) resolve(answer?.value)
        else reject(error)
      })
    })
  }

  /** The numbers up to this one, one by one. */
  async *count(last: number): AsyncGenerator<unknown> {
    const { path, requestSerialize, responseDeserialize } = TEST_SERVICE.Count
    for await (const { value } of this.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { value: last })) yield value
  }
}
