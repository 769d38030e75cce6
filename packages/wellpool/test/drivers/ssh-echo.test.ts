import { describe, expect, it } from 'vitest'
import { EchoFinder } from '../../src/drivers/ssh-echo.ts'
import { TerminalText } from '../../src/drivers/ssh-terminal.ts'

/** Where the echo of a command ends, once all these pieces have come. */
const find = (prompt: string, command: string, ...pieces: string[]) => {
  const terminal = new TerminalText(511)
  terminal.write(Buffer.from(prompt))
  const finder = new EchoFinder(prompt, command)
  let found: ReturnType<EchoFinder['find']>
  for (const piece of pieces) {
    terminal.write(Buffer.from(piece))
    found ??= finder.find(terminal)
  }
  return found
}

describe('EchoFinder', () => {
  it.each([
    ['on the line of the prompt', 'router#', 'show clock', ['show clock\r\n'], { line: 0, rest: '' }],
    ['in pieces', 'router#', 'show clock', ['sh', 'ow cl', 'ock', '\r', '\n'], { line: 0, rest: '' }],
    ['broken over lines', 'router#', 'show interfaces', ['show inter\r\nfaces\r\n'], { line: 1, rest: '' }],
    ['broken with blanks', 'router#', 'show interfaces', ['show inter \r\n  faces\r\n'], { line: 1, rest: '' }],
    ['with a prompt that ends in a blank', 'switch# ', 'show clock', ['show clock\r\n'], { line: 0, rest: '' }],
    ['redrawn after a log line', 'router#', 'show clock', ['\r\n%SYS-5-X: show clock\r\nrouter#show clock\r\n'], { line: 2, rest: '' }],
    ['behind what came late from before', 'router#', 'show b', ['rest of a\r\nrouter#show b\r\n'], { line: 1, rest: '' }],
    ['with the answer behind it', 'router#', 'ping', ['ping !!!!!\r\n'], { line: 0, rest: '!!!!!' }],
    ['of nothing', 'router#', '', ['\r\n'], { line: 0, rest: '' }],
    ['of nothing, behind nothing', '', '', ['\r\n'], { line: 0, rest: '' }],
    ['of a letter that the prompt has too', 'cisco#', 'c', ['c\r\n'], { line: 0, rest: '' }],
  ])('finds it %s', (_, prompt, command, pieces, end) => {
    expect(find(prompt, command, ...pieces)).toEqual(end)
  })

  it.each([
    ['that has not ended', 'router#', 'show clock', ['show clock']],
    ['of which a part is missing', 'router#', 'show clock', ['show\r\n']],
    ['of something else', 'router#', 'show clock', ['router#show version\r\n']],
    ['that a log line quotes', 'router#', 'reload', ['\r\n%SYS-5: user typed reload\r\n']],
  ])('does not find one %s', (_, prompt, command, pieces) => {
    expect(find(prompt, command, ...pieces)).toBeUndefined()
  })

  it('keeps no more of a long answer than it needs', () => {
    const rows = Array.from({ length: 5000 }, (_, index) => `line ${index}\r\n`)
    expect(find('router#', 'show clock', ...rows, 'router#show clock\r\n')).toEqual({ line: 5000, rest: '' })
  })
})
