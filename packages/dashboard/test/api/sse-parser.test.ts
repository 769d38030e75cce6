import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SseParser } from '../../src/api/sse-parser.ts'

it('reads types and data, and joins lines of data', () => {
  expect(new SseParser().push('event: hello\ndata: {"seq":1}\n\ndata: a\ndata:b\n\n')).toEqual([
    { type: 'hello', data: '{"seq":1}' },
    { type: 'message', data: 'a\nb' },
  ])
})

it('passes over signs of life, ids, unknown fields and messages without data', () => {
  expect(new SseParser().push(': still here\n\nid: 4\nretry: 10\nevent: x\n\nnothing\n\ndata\n\n')).toEqual([{ type: 'message', data: '' }])
})

it('does not carry the type of one message over to the next', () => {
  expect(new SseParser().push('event: a\n\ndata: 1\n\n')).toEqual([{ type: 'message', data: '1' }])
})

it('keeps what is not complete', () => {
  const parser = new SseParser()
  expect(parser.push('data: 1\n')).toEqual([])
  expect(parser.push('\ndata: 2')).toEqual([{ type: 'message', data: '1' }])
})

it('reads the same, wherever the chunks end and whatever ends the lines', () => {
  const message = fc.record({ type: fc.stringMatching(/^[a-z]{1,8}$/), data: fc.stringMatching(/^[^\r\n]{0,20}$/u) })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), fc.constantFrom('\n', '\r\n'), fc.array(fc.nat(300)), (messages, end, cuts) => {
      const text = messages.map(({ type, data }) => `event: ${type}${end}data: ${data}${end}${end}`).join('')
      const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length]
      const parser = new SseParser()
      const read = places.slice(1).flatMap((to, index) => parser.push(text.slice(places[index], to)))
      expect(read).toEqual(messages)
    }),
  )
})
