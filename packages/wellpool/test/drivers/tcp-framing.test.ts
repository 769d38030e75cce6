import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TcpError } from '../../src/drivers/tcp-errors.ts'
import { createCoder, type Frame, type FrameCoder, type LengthFraming } from '../../src/drivers/tcp-framing.ts'

const MAX = 1000
const coderOf = (framing: Parameters<typeof createCoder>[0], max = MAX) => createCoder(framing, max) as FrameCoder<Frame>

/** The frames of these bytes when they arrive in these pieces. */
const decode = (coder: FrameCoder<Frame>, pieces: readonly Buffer[]): Frame[] => {
  const decoder = coder.createDecoder()
  return pieces.flatMap((piece) => [...decoder.push(piece)])
}

/** Cuts bytes at these shares of their length. */
const cut = (bytes: Buffer, shares: readonly number[]): Buffer[] => {
  const places = [0, ...shares.map((share) => Math.floor(share * bytes.length)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

const LENGTHS: readonly LengthFraming['length'][] = ([1, 2, 3, 4, 5, 6] as const).flatMap((bytes) =>
  (['big', 'little'] as const).flatMap((endian) => [true, false].map((includesItself) => ({ bytes, endian, includesItself }))),
)

describe('a coder of lines', () => {
  it.each([['line'], [{ line: '\r\n' }], [{ line: '\0' }], [{ line: '--end--' }]] as const)(
    'gives back what was sent, however it is cut: %j',
    (framing) => {
      const end = framing === 'line' ? '\n' : framing.line
      const coder = coderOf(framing)
      const texts = fc.array(
        fc
          .string({ unit: 'grapheme', maxLength: 40 })
          .filter((text) => `${text}${end}`.indexOf(end) === text.length && !text.endsWith('\r')),
      )
      fc.assert(
        fc.property(texts, fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (sent, shares) => {
          const bytes = Buffer.concat(sent.map((text) => coder.encode(text)))
          expect(decode(coder, cut(bytes, shares))).toEqual(sent)
        }),
      )
    },
  )

  it('ends at a line feed, with or without a carriage return, unless told otherwise', () => {
    const bytes = [Buffer.from('a\nb\r\n\nc\rd\n')]
    expect(decode(coderOf('line'), bytes)).toEqual(['a', 'b', '', 'c\rd'])
    expect(decode(coderOf({ line: '\n' }), bytes)).toEqual(['a', 'b\r', '', 'c\rd'])
    expect(decode(coderOf({ line: '\r\n' }), [Buffer.from('a\nb\r\n')])).toEqual(['a\nb'])
  })

  it.each([
    ['line', 'a\nb'],
    ['line', '\n'],
    [{ line: '\r\n' }, 'a\r\nb'],
    // Its end would begin within the data.
    [{ line: '--' }, 'a-'],
  ] as const)('does not send as one frame what the peer would take for two: %j %j', (framing, data) => {
    expect(() => coderOf(framing).encode(data)).toThrow(expect.objectContaining({ code: 'BAD_DATA' }))
  })

  it('takes a line of the greatest length, and none that is longer', () => {
    const longest = 'x'.repeat(MAX)
    for (const end of ['\n', '\r\n']) expect(decode(coderOf('line'), [Buffer.from(longest + end)])).toEqual([longest])
    expect(() => decode(coderOf('line'), [Buffer.from(`${longest}x\n`)])).toThrow(`more than ${MAX} bytes`)
    expect(() => decode(coderOf({ line: '\n' }), [Buffer.from(`${longest}x\n`)])).toThrow(TcpError)
    expect(() => coderOf('line').encode(`${longest}x`)).toThrow(expect.objectContaining({ code: 'BAD_DATA' }))
  })

  it('does not wait for the end of a line that is too long already', () => {
    const decoder = coderOf('line').createDecoder()
    expect([...decoder.push(Buffer.alloc(MAX, 'x'))]).toEqual([])
    expect(() => [...decoder.push(Buffer.from('xxxx'))]).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
  })
})

describe('a coder of lengths', () => {
  it.each(LENGTHS)('gives back what was sent, however it is cut: %j', (length) => {
    const coder = coderOf({ length })
    const data = fc.array(fc.uint8Array({ maxLength: 40 }))
    fc.assert(
      fc.property(data, fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (sent, shares) => {
        const bytes = Buffer.concat(sent.map((each) => coder.encode(each)))
        expect(decode(coder, cut(bytes, shares))).toEqual(sent.map((each) => Buffer.from(each)))
      }),
      { numRuns: 30 },
    )
  })

  it('writes the length as it was asked to', () => {
    expect(coderOf({ length: { bytes: 2 } }).encode('abc')).toEqual(Buffer.from([0, 3, 97, 98, 99]))
    expect(coderOf({ length: { bytes: 2, endian: 'little' } }).encode('abc')).toEqual(Buffer.from([3, 0, 97, 98, 99]))
    expect(coderOf({ length: { bytes: 4, includesItself: true } }).encode('')).toEqual(Buffer.from([0, 0, 0, 4]))
  })

  it('refuses what it cannot count, and what is too long', () => {
    expect(coderOf({ length: { bytes: 1 } }).encode(Buffer.alloc(255))).toHaveLength(256)
    expect(() => coderOf({ length: { bytes: 1 } }).encode(Buffer.alloc(256))).toThrow('at most 255')
    expect(() => coderOf({ length: { bytes: 1, includesItself: true } }).encode(Buffer.alloc(255))).toThrow('at most 254')
    expect(() => coderOf({ length: { bytes: 4 } }).encode(Buffer.alloc(MAX + 1))).toThrow(`at most ${MAX}`)
  })

  it('refuses a length that is too great before anything of it has come, and one less than itself', () => {
    const four = coderOf({ length: { bytes: 4, includesItself: true } })
    expect(() => decode(four, [Buffer.from([0x7f, 0xff, 0xff, 0xff])])).toThrow(`more than ${MAX} bytes`)
    expect(() => decode(four, [Buffer.from([0, 0, 0, 3])])).toThrow('counts less than itself')
  })

  it('gives the good frames before a bad one', () => {
    const coder = coderOf({ length: { bytes: 4 } })
    const seen: Frame[] = []
    const bytes = Buffer.concat([coder.encode('good'), Buffer.alloc(4, 0xff)])
    expect(() => {
      for (const frame of coder.createDecoder().push(bytes)) seen.push(frame)
    }).toThrow(TcpError)
    expect(seen).toEqual([Buffer.from('good')])
  })

  it('gives frames that later bytes do not change', () => {
    const coder = coderOf({ length: { bytes: 1 } })
    const decoder = coder.createDecoder()
    const [first] = decoder.push(coder.encode('first'))
    expect([...decoder.push(Buffer.concat([coder.encode('other'), coder.encode('third')]))]).toHaveLength(2)
    expect(first).toEqual(Buffer.from('first'))
  })
})

describe.each([
  ['lines', 'line'],
  ['lengths', { length: { bytes: 4 } }],
] as const)('a decoder of %s', (_, framing) => {
  it('is in a frame from its first byte to its last', () => {
    const coder = coderOf(framing)
    const decoder = coder.createDecoder()
    const bytes = coder.encode('text')
    expect(decoder.inFrame).toBe(false)
    for (const byte of bytes.subarray(0, -1)) {
      expect([...decoder.push(Buffer.from([byte]))]).toEqual([])
      expect(decoder.inFrame).toBe(true)
    }
    expect([...decoder.push(bytes.subarray(-1))]).toHaveLength(1)
    expect(decoder.inFrame).toBe(false)
  })

  it('takes a long frame in small pieces without copying it for each of them', () => {
    const size = 4 * 1024 * 1024
    const large = coderOf(framing, size)
    const decoder = large.createDecoder()
    const bytes = large.encode(Buffer.alloc(size, 'x'))
    const frames: Frame[] = []
    const start = performance.now()
    for (let at = 0; at < bytes.length; at += 64) frames.push(...decoder.push(bytes.subarray(at, at + 64)))
    expect(frames).toHaveLength(1)
    // Copied for each of 65,536 pieces it would be 137 GB, and take half a minute.
    expect(performance.now() - start).toBeLessThan(5000)
  })
})
