import { TcpBytes } from './tcp-bytes.ts'
import { TcpError } from './tcp-errors.ts'

/**
 * A frame ends with a line feed, and a carriage return before it does not count; or, as `{ line }`, with this text.
 * Frames are texts in UTF-8.
 */
export type LineFraming = 'line' | { readonly line: string }

/** A frame's length stands before it. Frames are bytes. */
export interface LengthFraming {
  readonly length: {
    /** In how many bytes the length stands. */
    readonly bytes: 1 | 2 | 3 | 4 | 5 | 6
    /** Which of its bytes comes first. Default `big`: the highest. */
    readonly endian?: 'big' | 'little' | undefined
    /** Whether the length counts its own bytes as well. Default false. */
    readonly includesItself?: boolean | undefined
  }
}

/** What a frame is to the application: a text, or bytes. */
export type FrameOf<Framing> = Framing extends LengthFraming ? Buffer : string

export type Frame = string | Buffer

/** Makes bytes of what is sent and frames of what arrives. */
export interface FrameCoder<F extends Frame> {
  /** @throws TcpError BAD_DATA when the data can't be one frame. */
  encode(data: string | Uint8Array): Buffer
  createDecoder(): FrameDecoder<F>
}

/** Takes the bytes of one connection in and gives whole frames out. */
export interface FrameDecoder<F extends Frame> {
  /**
   * The frames that these bytes complete.
   *
   * @throws TcpError BAD_FRAME after the last good one.
   */
  push(chunk: Buffer): Iterable<F>
  /** Whether a frame has begun and not ended. */
  readonly inFrame: boolean
}

/** @param maxSize the longest frame in either direction, bytes. */
export function createCoder(framing: LineFraming | LengthFraming, maxSize: number): FrameCoder<string> | FrameCoder<Buffer> {
  if (framing === 'line') return new LineCoder('\n', true, maxSize)
  return 'line' in framing ? new LineCoder(framing.line, false, maxSize) : new LengthCoder(framing.length, maxSize)
}

const RETURN = 0x0d

class LineCoder implements FrameCoder<string> {
  readonly #end: Buffer
  readonly #anyReturn: boolean
  readonly #maxSize: number

  /** @param anyReturn whether a carriage return before the end is no part of the frame. */
  constructor(end: string, anyReturn: boolean, maxSize: number) {
    this.#end = Buffer.from(end)
    this.#anyReturn = anyReturn
    this.#maxSize = maxSize
  }

  encode(data: string | Uint8Array): Buffer {
    const bytes = toBytes(data, this.#maxSize)
    const frame = Buffer.concat([bytes, this.#end])
    // The peer would see two frames and answer both, and every answer after that would be another request's.
    if (frame.indexOf(this.#end) !== bytes.length) throw new TcpError('BAD_DATA', 'the data contain the end of a line')
    return frame
  }

  createDecoder(): FrameDecoder<string> {
    const bytes = new TcpBytes()
    const [end, anyReturn, maxSize] = [this.#end, this.#anyReturn, this.#maxSize]
    /** Up to here there is no end of a line. */
    let searched = 0
    return {
      get inFrame() {
        return bytes.length > 0
      },
      *push(chunk) {
        bytes.push(chunk)
        for (let found = bytes.indexOf(end, searched); found !== -1; found = bytes.indexOf(end, 0)) {
          const line = bytes.take(found + end.length)
          const size = anyReturn && line[found - 1] === RETURN ? found - 1 : found
          if (size > maxSize) throw tooLarge(maxSize)
          yield line.toString('utf8', 0, size)
          searched = 0
        }
        if (bytes.length > maxSize + 1 + end.length) throw tooLarge(maxSize)
        // The first bytes of an end may be there already.
        searched = Math.max(0, bytes.length - end.length + 1)
      },
    }
  }
}

class LengthCoder implements FrameCoder<Buffer> {
  readonly #bytes: number
  readonly #big: boolean
  /** What the length counts beside the frame itself. */
  readonly #extra: number
  readonly #maxSize: number

  constructor({ bytes, endian = 'big', includesItself = false }: LengthFraming['length'], maxSize: number) {
    this.#bytes = bytes
    this.#big = endian === 'big'
    this.#extra = includesItself ? bytes : 0
    this.#maxSize = Math.min(maxSize, 2 ** (8 * bytes) - 1 - this.#extra)
  }

  encode(data: string | Uint8Array): Buffer {
    const bytes = toBytes(data, this.#maxSize)
    const header = Buffer.alloc(this.#bytes)
    const length = bytes.length + this.#extra
    if (this.#big) header.writeUIntBE(length, 0, this.#bytes)
    else header.writeUIntLE(length, 0, this.#bytes)
    return Buffer.concat([header, bytes])
  }

  createDecoder(): FrameDecoder<Buffer> {
    const bytes = new TcpBytes()
    const [headerSize, big, extra, maxSize] = [this.#bytes, this.#big, this.#extra, this.#maxSize]
    return {
      get inFrame() {
        return bytes.length > 0
      },
      *push(chunk) {
        bytes.push(chunk)
        while (bytes.length >= headerSize) {
          const header = bytes.peek(headerSize)
          const length = (big ? header.readUIntBE(0, headerSize) : header.readUIntLE(0, headerSize)) - extra
          if (length < 0) throw new TcpError('BAD_FRAME', 'the peer has sent a frame whose length counts less than itself')
          if (length > maxSize) throw tooLarge(maxSize)
          if (bytes.length < headerSize + length) return
          yield bytes.take(headerSize + length).subarray(headerSize)
        }
      },
    }
  }
}

function toBytes(data: string | Uint8Array, maxSize: number): Buffer {
  const bytes = typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (bytes.length > maxSize) throw new TcpError('BAD_DATA', `the data are ${bytes.length} bytes, and a frame has at most ${maxSize}`)
  return bytes
}

function tooLarge(maxSize: number): TcpError {
  return new TcpError('BAD_FRAME', `the peer has sent a frame of more than ${maxSize} bytes`)
}
