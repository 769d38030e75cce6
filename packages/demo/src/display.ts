import type { ReadStream, WriteStream } from 'node:tty'
import { topCommand, whatIsServed } from './api.ts'
import type { Demo } from './demo.ts'
import { FAULT_BY_KEY } from './faults.ts'
import type { Entry } from './journal.ts'
import { type Command, listenToKeys } from './keys.ts'
import { STATUS_EVERY_MS, stamped, statusLines } from './lines.ts'
import { Screen, sizeOf } from './screen.ts'
import { draw } from './view.ts'

/** Shows a running demo, and passes on what its user wants. */
export interface Display {
  /** Something has happened. Entries from before `begin` count. */
  tell(entry: Entry): void
  begin(demo: Demo): void
  /** Gives the terminal back. */
  end(): void
}

/** How often a new picture is drawn, ms. */
const DRAW_EVERY_MS = 100
/** Whoever still runs this long after it was to be stopped has not been stopped, ms. */
const STOPPED_WITHIN_MS = 250

/** A picture that is redrawn in place, and keys. */
export class TerminalDisplay implements Display {
  readonly #output: WriteStream & { readonly fd: number }
  readonly #input: ReadStream
  readonly #screen: Screen
  readonly #quitAtOnce: () => void
  #timer: NodeJS.Timeout | undefined
  #endKeys: () => void = () => {}
  #endSuspension: () => void = () => {}
  #quitting = false
  readonly #redraw = (): void => this.#screen.redraw()

  /** @param quitAtOnce is called when the user asks a second time */
  constructor(output: WriteStream & { readonly fd: number }, input: ReadStream, quitAtOnce: () => void) {
    this.#output = output
    this.#input = input
    this.#screen = new Screen(output)
    this.#quitAtOnce = quitAtOnce
  }

  tell(): void {
    // The next picture shows it.
  }

  begin(demo: Demo): void {
    this.#screen.enter()
    this.#output.on('resize', this.#redraw)
    this.#listen(demo)
    this.#timer = setInterval(() => this.#draw(demo), DRAW_EVERY_MS)
    this.#draw(demo)
  }

  end(): void {
    clearInterval(this.#timer)
    this.#endSuspension()
    this.#output.off('resize', this.#redraw)
    this.#endKeys()
    this.#endKeys = () => {}
    this.#screen.leave()
  }

  #draw(demo: Demo): void {
    this.#screen.show(draw(demo.snapshot(), { ...sizeOf(this.#output), colour: this.#output.hasColors() }))
  }

  #listen(demo: Demo): void {
    if (!this.#input.isTTY) return
    this.#endKeys = listenToKeys(this.#input, [...FAULT_BY_KEY.keys()], (command) => this.#do(demo, command))
  }

  #do(demo: Demo, command: Command): void {
    if (command.name === 'fault') {
      const fault = FAULT_BY_KEY.get(command.key)
      if (fault !== undefined) demo.ask(fault)
    } else if (command.name === 'pause') demo.togglePause()
    else if (command.name === 'rebuild') demo.rebuildAll()
    else if (command.name === 'suspend') this.#suspend(demo)
    else if (this.#quitting) this.#quitAtOnce()
    else {
      this.#quitting = true
      demo.quit()
    }
  }

  /**
   * Ctrl-Z: the terminal is given back until the shell lets this process go on. Where there is no shell that could, as in
   * many a container, the system does not stop it.
   */
  #suspend(demo: Demo): void {
    this.end()
    const goOn = (): void => {
      this.#endSuspension()
      this.begin(demo)
    }
    const timer = setTimeout(goOn, STOPPED_WITHIN_MS)
    process.on('SIGCONT', goOn)
    this.#endSuspension = () => {
      clearTimeout(timer)
      process.off('SIGCONT', goOn)
      this.#endSuspension = () => {}
    }
    // The whole group: npm, and the shell that it has started, wait for this process.
    process.kill(0, 'SIGTSTP')
  }
}

/** Lines, each with its time: for a log, or a terminal that can't do more. */
export class LineDisplay implements Display {
  readonly #write: (line: string) => void
  /** Until the load begins it is 0:00. */
  #startedAt = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(write: (line: string) => void) {
    this.#write = write
  }

  tell({ at, text }: Entry): void {
    this.#write(stamped(text, at - this.#startedAt))
  }

  begin(demo: Demo): void {
    const { startedAt, server, router, api } = demo.snapshot()
    this.#startedAt = startedAt
    this.#write(stamped(`the load begins: ${server}; ${router.label}`, 0))
    this.#write(stamped(`to see its pools meanwhile: ${whatIsServed(api)}, or ${topCommand(api)}`, 0))
    this.#timer = setInterval(() => {
      const now = performance.now()
      for (const line of statusLines(demo.snapshot())) this.#write(stamped(`  ${line}`, now - this.#startedAt))
    }, STATUS_EVERY_MS)
  }

  end(): void {
    clearInterval(this.#timer)
  }
}
