import { type ClientHttp2Session, constants, type OutgoingHttpHeaders } from 'node:http2'
import { text } from 'node:stream/consumers'

/** What a server answers: its status, and the body as text. Rejects when the stream ends without an answer. */
export async function request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders | string,
  body?: string,
  signal?: AbortSignal,
): Promise<{ status: number; body: string }> {
  const sent = typeof headers === 'string' ? { ':path': headers } : headers
  const stream = session.request(body === undefined ? sent : { ':method': 'POST', ...sent }, signal === undefined ? {} : { signal })
  let status: number | undefined
  stream.on('response', (received) => {
    status = received[':status']
  })
  if (body !== undefined) stream.end(body)
  const received = await text(stream)
  // Node ends the body of a stream that was cut off as if it were whole.
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || status === undefined) {
    throw Object.assign(new Error(`the stream was cut off (${stream.rstCode})`), { code: 'ERR_STREAM_PREMATURE_CLOSE' })
  }
  return { body: received, status }
}
