import { PassThrough } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Demo } from '../src/demo.ts'
import { LineDisplay, TerminalDisplay } from '../src/display.ts'
import { FAULTS } from '../src/faults.ts'
import { nothingBad, snapshot } from './support/snapshot.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** A demo that writes down what is asked of it. */
function fakeDemo(asked: string[] = []): Demo {
  return {
    snapshot: () => snapshot({ seen: nothingBad() }),
    ask: (fault: { key: string }) => asked.push(`fault ${fault.key}`),
    togglePause: () => asked.push('pause'),
    rebuildAll: () => asked.push('rebuild'),
    quit: () => asked.push('quit'),
  } as unknown as Demo
}

interface Keyboard extends PassThrough {
  isTTY: boolean
  raw: boolean
  setRawMode(raw: boolean): void
}

/** A terminal with a keyboard, neither of them real. */
function fakeTerminal(): { output: WriteStream & { fd: number; text: string }; input: ReadStream; keyboard: Keyboard } {
  const keyboard = Object.assign(new PassThrough(), {
    isTTY: true,
    raw: false,
    setRawMode(raw: boolean) {
      keyboard.raw = raw
    },
  })
  const output = Object.assign(new PassThrough(), {
    fd: -1,
    columns: 80,
    rows: 24,
    text: '',
    hasColors: () => false,
    write(text: string) {
      output.text += text
      return true
    },
  })
  return { output: output as unknown as WriteStream & { fd: number; text: string }, input: keyboard as unknown as ReadStream, keyboard }
}

/** Types, and waits until it has been read. */
async function type(keyboard: Keyboard, keys: string): Promise<void> {
  for (const key of keys) {
    keyboard.write(key)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('TerminalDisplay', () => {
  it('does what its keys say, and quits at once when asked a second time', async () => {
    const { output, input, keyboard } = fakeTerminal()
    const asked: string[] = []
    const display = new TerminalDisplay(output, input, () => asked.push('quit at once'))
    display.begin(fakeDemo(asked))
    expect(keyboard.raw).toBe(true)
    await type(keyboard, '15px7rq')
    expect(asked).toEqual(['fault 1', 'fault 5', 'pause', 'rebuild', 'quit'])
    await type(keyboard, '\u0003')
    expect(asked.at(-1)).toBe('quit at once')
    display.end()
    expect(keyboard.raw).toBe(false)
    expect(FAULTS.map(({ key }) => key)).toEqual(['1', '2', '3', '4', '5', '6'])
  })

  it('takes Ctrl-C for a wish to quit', async () => {
    const { output, input, keyboard } = fakeTerminal()
    const asked: string[] = []
    const display = new TerminalDisplay(output, input, () => asked.push('quit at once'))
    display.begin(fakeDemo(asked))
    await type(keyboard, '\u0003')
    expect(asked).toEqual(['quit'])
    display.end()
  })

  it('draws on the second screen, as a whole again in another size, and not after its end', () => {
    const { output, input } = fakeTerminal()
    const display = new TerminalDisplay(output, input, () => {})
    display.begin(fakeDemo())
    expect(output.text).toMatch(/1049h.*\[1;1Hwellpool demo/s)
    output.text = ''
    vi.advanceTimersByTime(500)
    // The same picture: nothing has to be written.
    expect(output.text).toBe('')
    output.columns = 60
    output.emit('resize')
    vi.advanceTimersByTime(100)
    expect(output.text).toMatch(/\[2J/)
    display.end()
    expect(output.text).toMatch(/1049l$/)
    output.text = ''
    vi.advanceTimersByTime(500)
    expect(output.text).toBe('')
  })

  it('gives the terminal back when it is suspended, and goes on when it is let or was not stopped at all', async () => {
    const stop = vi.spyOn(process, 'kill').mockReturnValue(true)
    const { output, input, keyboard } = fakeTerminal()
    const display = new TerminalDisplay(output, input, () => {})
    const listeners = process.listenerCount('SIGCONT')
    display.begin(fakeDemo())
    for (const goOn of [() => process.emit('SIGCONT'), () => vi.advanceTimersByTime(1_000)]) {
      await type(keyboard, '\u001a')
      expect(stop).toHaveBeenLastCalledWith(0, 'SIGTSTP')
      expect([keyboard.raw, output.text.endsWith('1049l')]).toEqual([false, true])
      goOn()
      vi.advanceTimersByTime(1_000)
      expect([keyboard.raw, output.text.lastIndexOf('1049h') > output.text.lastIndexOf('1049l')]).toEqual([true, true])
    }
    await type(keyboard, '\u001a')
    display.end()
    vi.advanceTimersByTime(1_000)
    expect([keyboard.raw, output.text.endsWith('1049l')]).toEqual([false, true])
    expect(process.listenerCount('SIGCONT')).toBe(listeners)
    stop.mockRestore()
  })

  it('draws on a terminal that does not know how large it is', () => {
    const { output, input } = fakeTerminal()
    Object.assign(output, { columns: 0, rows: 0 })
    const display = new TerminalDisplay(output, input, () => {})
    display.begin(fakeDemo())
    expect(output.text).toMatch(/\[1;1Hwellpool demo.*\[24;1H1-6 fault/s)
    display.end()
  })
})

describe('LineDisplay', () => {
  it('writes what happens with its time, and every five seconds how things stand', () => {
    const lines: string[] = []
    const display = new LineDisplay((line) => lines.push(line))
    const { startedAt } = snapshot()
    display.begin(fakeDemo())
    display.tell({ at: startedAt + 61_000, text: 'something happened', style: undefined, times: 1 })
    expect(lines).toEqual([
      '0:00  the load begins: PostgreSQL 18.4, embedded; router, simulated',
      '0:00  to see its pools meanwhile: dashboard http://127.0.0.1:7710, or npx wellpool top --url http://127.0.0.1:7710',
      '1:01  something happened',
    ])
    vi.advanceTimersByTime(5_000)
    expect(lines.slice(3, 6).map((line) => line.slice(line.indexOf('  ')))).toEqual([
      '    requests 3360 ok 0 failed 2 under way; p50 11 ms p99 24 ms max 31 ms',
      '    pool open 6 idle 4 in use 2 checking 0 waiting 0 breaker closed; 6 sessions at the server',
      '    router 210 ok 0 failed 1 under way; p50 6 ms p99 9 ms max 12 ms; 1 of 5 sessions',
    ])
    expect(lines).toHaveLength(3 + 3 + 7)
    display.end()
    vi.advanceTimersByTime(20_000)
    expect(lines).toHaveLength(13)
  })
})
