import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TerminalText } from '../../src/drivers/ssh-terminal.ts'

/** What a terminal shows of these pieces. */
const shown = (pieces: readonly (string | Buffer)[], columns = 80): string[] => {
  const terminal = new TerminalText(columns)
  for (const piece of pieces) terminal.write(Buffer.from(piece as string))
  return terminal.linesFrom(0)
}

describe('TerminalText', () => {
  it.each([
    ['lines', 'a\r\nb\r\n', ['a', 'b', '']],
    ['line feeds alone', 'a\nb', ['a', 'b']],
    ['line feeds before carriage returns', 'a\n\rb', ['a', 'b']],
    ['doubled carriage returns', 'a\r\r\nb', ['a', 'b']],
    ['blanks at the end of a line, which nobody sees', 'a   \r\nb  ', ['a', 'b']],
    ['a carriage return that goes back over the line', 'router>\rROUTER', ['ROUTER>']],
    ['backspaces', 'abc\b\bX', ['aXc']],
    ['backspaces beyond the beginning', 'a\b\b\bX', ['X']],
    [
      'a pager wiped out by backspaces',
      `one\r\n --More-- ${'\b'.repeat(10)}${' '.repeat(10)}${'\b'.repeat(10)}two\r\n`,
      ['one', 'two', ''],
    ],
    ['a pager wiped out by a carriage return and blanks', 'one\r\n--More--\r        \rtwo', ['one', 'two']],
    ['a pager wiped out by moving the cursor', '---- More ----\u001b[14D              \u001b[14Dtwo', ['two']],
    ['a pager wiped out by erasing the line', '--More--\r\u001b[Ktwo', ['two']],
    ['a pager wiped out by erasing the whole line', '--More--\u001b[2K\rtwo', ['two']],
    ['erasing what stands before the cursor', 'abc\b\u001b[1Kd', ['  d']],
    ['colours', '\u001b[1;31mred\u001b[0m', ['red']],
    ['a title of the window', '\u001b]0;user@host: ~\u0007$ ', ['$']],
    ['a title with the other end', '\u001b]0;title\u001b\\$', ['$']],
    ['bracketed paste', '\u001b[?2004h$ \u001b[?2004l', ['$']],
    ['keypad modes and character sets', '\u001b=\u001b>\u001b(B\u001b)0x', ['x']],
    ['an escape that begins nothing', 'a\u001b\r\nrouter# ', ['a', 'router#']],
    ['an escape before another', '\u001b\u001b[1mx\r\n$ ', ['x', '$']],
    ['an escape before a letter of another alphabet', '\u001bü# ', ['ü#']],
    ['a sequence that the end of the line breaks off', '\u001b[1\r\n$ ', ['[1', '$']],
    ['a title that another sequence breaks off', '\u001b]x\u001b[m\r\n$ ', [']x', '$']],
    ['moving to the right', 'a\u001b[3Cb', ['a   b']],
    ['moving to a column', 'abc\u001b[2GX', ['aXc']],
    ['deleting characters', 'abcd\r\u001b[2P', ['cd']],
    ['moving elsewhere on the screen', 'menu\u001b[5;3Hx', ['menu', '  x']],
    ['clearing the screen', '\u001b[2J\u001b[Hx', ['x']],
    ['bells, zeros and deletes', 'a\u0007b\0c\u007fd', ['abcd']],
    ['tabulators as they are', 'a\tb', ['a\tb']],
    ['letters of all kinds', 'Zürich 東京 🙂', ['Zürich 東京 🙂']],
  ])('shows %s', (_, text, lines) => {
    expect(shown([text])).toEqual(lines)
    // In whatever pieces it comes.
    expect(shown([...Buffer.from(text)].map((byte) => Buffer.from([byte])))).toEqual(lines)
  })

  it('joins what wraps at the right edge, as shells wrap what is typed', () => {
    // A shell that has filled the line makes the cursor go to the next one with a blank, and goes back over it.
    expect(shown(['0123456789', ' \rabc\r\ndone'], 10)).toEqual(['0123456789abc', 'done'])
    expect(shown(['0123456789abcdefghijKLM'], 10)).toEqual(['0123456789abcdefghijKLM'])
  })

  it('stays at the right edge until there is another character', () => {
    expect(shown(['0123456789\r\nx'], 10)).toEqual(['0123456789', 'x'])
    expect(shown(['0123456789\bX'], 10)).toEqual(['012345678X'])
  })

  it('does not wait for ever for the end of a sequence that is none', () => {
    expect(shown([`\u001b]${'x'.repeat(5000)}`])[0]).toContain('xxx')
  })

  it('keeps the line of the cursor when it forgets the others, and counts anew', () => {
    const terminal = new TerminalText(80)
    terminal.write(Buffer.from('one\r\ntwo\r\nrouter# '))
    expect([terminal.endedCount, terminal.endedLine(1), terminal.size]).toEqual([2, 'two', 18])
    terminal.forget()
    terminal.write(Buffer.from('show\r\n'))
    expect([terminal.linesFrom(0), terminal.endedCount, terminal.size]).toEqual([['router# show', ''], 1, 6])
  })

  it('shows the same in whatever pieces a text comes', () => {
    const alphabet = fc.constantFrom('a', 'b', ' ', '\r', '\n', '\b', '\u001b', '[', 'K', '2', 'D', ';', 'ü', '#', ']', '\u0007')
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 60 }), fc.array(fc.nat(70)), (characters, cuts) => {
        const text = Buffer.from(characters.join(''))
        const at = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length]
        const pieces = at.slice(1).map((end, index) => text.subarray(at[index], end))
        expect(shown(pieces, 20)).toEqual(shown([text], 20))
      }),
    )
  })

  it('reads other encodings', () => {
    const terminal = new TerminalText(80, 'latin1')
    terminal.write(Buffer.from([0x5a, 0xfc]))
    expect(terminal.lastLine).toBe('Zü')
  })
})
