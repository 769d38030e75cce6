import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Screen, type Terminal } from '../src/screen.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wellpool-screen-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A terminal that remembers what it is told; what goes past its stream lands in a file. */
class FakeTerminal implements Terminal {
  readonly columns = 80
  readonly rows = 3
  readonly fd = openSync(join(folder, 'terminal'), 'w')
  writableNeedDrain = false
  text = ''

  write(text: string): boolean {
    this.text += text
    return true
  }

  /** What was written since it was last asked. */
  take(): string {
    const { text } = this
    this.text = ''
    return text
  }

  get direct(): string {
    return readFileSync(join(folder, 'terminal'), 'utf8')
  }
}

const ESC = '\u001b'

describe('Screen', () => {
  it('writes a whole picture first, and then only lines that differ', () => {
    const terminal = new FakeTerminal()
    const screen = new Screen(terminal)
    screen.enter()
    expect(terminal.take()).toContain(`${ESC}[?1049h`)
    screen.show(['one', 'two'])
    expect(terminal.take()).toBe(`${ESC}[?2026h${ESC}[2J${ESC}[1;1Hone${ESC}[0m${ESC}[K${ESC}[2;1Htwo${ESC}[0m${ESC}[K${ESC}[?2026l`)
    screen.show(['one', 'TWO'])
    expect(terminal.take()).toBe(`${ESC}[?2026h${ESC}[2;1HTWO${ESC}[0m${ESC}[K${ESC}[?2026l`)
    screen.show(['one', 'TWO'])
    expect(terminal.take()).toBe('')
    screen.show(['one'])
    expect(terminal.take()).toBe(`${ESC}[?2026h${ESC}[2;1H${ESC}[0m${ESC}[K${ESC}[?2026l`)
    screen.redraw()
    screen.show(['one'])
    expect(terminal.take()).toContain(`${ESC}[2J${ESC}[1;1Hone`)
    screen.leave()
  })

  it('never writes below the last row', () => {
    const terminal = new FakeTerminal()
    const screen = new Screen(terminal)
    screen.enter()
    screen.show(['1', '2', '3', '4'])
    expect(terminal.take()).not.toContain(`${ESC}[4;1H`)
    screen.leave()
  })

  it('leaves pictures out while the terminal does not keep up', () => {
    const terminal = new FakeTerminal()
    const screen = new Screen(terminal)
    screen.enter()
    terminal.take()
    terminal.writableNeedDrain = true
    screen.show(['old'])
    expect(terminal.take()).toBe('')
    terminal.writableNeedDrain = false
    screen.show(['new'])
    expect(terminal.take()).toContain('new')
    screen.leave()
  })

  it('gives the terminal back once, past its stream, also when the process exits without a word', () => {
    const terminal = new FakeTerminal()
    const screen = new Screen(terminal)
    const before = process.listenerCount('exit')
    screen.enter()
    expect(process.listenerCount('exit')).toBe(before + 1)
    for (const listener of process.listeners('exit').slice(before)) listener(0)
    expect(terminal.direct).toBe(`${ESC}[?2026l${ESC}[0m${ESC}[?25h${ESC}[?1049l`)
    screen.leave()
    expect(terminal.direct.split('1049l')).toHaveLength(2)
    expect(process.listenerCount('exit')).toBe(before)
  })
})
