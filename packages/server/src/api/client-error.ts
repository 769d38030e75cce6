import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ApiProblem, type OwnCode, toProblem } from './problem.ts'

/** What Node's parser says, as problems. */
const KNOWN: Readonly<Record<string, readonly [OwnCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'the request was not complete in time'],
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'the headers are longer than is read'],
}

/** The answer to what was asked last over a socket. Answers go out in the order of their requests: when it is out, all are. */
const latest = new WeakMap<Socket, ServerResponse>()

/** Remembers what is to be answered over a socket. To be called with each request. */
export function noteAnswer({ socket }: IncomingMessage, response: ServerResponse): void {
  latest.set(socket, response)
}

/** Answers what Node can't make a request of, and hangs up: where the next one would begin nobody knows. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (socket.writable && isDue(socket)) {
    const [code, detail] = KNOWN[error.code ?? ''] ?? ['INVALID_REQUEST', 'this is no request in HTTP/1.1']
    const problem = toProblem(new ApiProblem(code, detail))
    const body = JSON.stringify(problem)
    const head = [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  }
  socket.destroy(error)
}

/** Whether what is written now stands by itself, and would not be read as part of another answer, or in place of one. */
function isDue(socket: Socket): boolean {
  const response = latest.get(socket)
  if (response === undefined || response.writableFinished) return true
  // It is the body of this request that can't be read. Node gives an answer the socket when those before it are out.
  return !response.req.complete && !response.headersSent && response.socket !== null
}
