import type { ServerChannel } from 'ssh2'
import type { DeviceCli } from './cli.ts'
import { LineEditor } from './line-editor.ts'
import { DeviceOutput, type OutputOptions } from './output.ts'
import type { DeviceKind } from './platform.ts'

/** What a shell needs of its device. */
export interface ShellOptions {
  readonly kind: DeviceKind
  readonly output: () => OutputOptions
  /** Said before the first prompt. */
  readonly motd: string
  /** Is told every line that is typed; secrets as `***`. */
  readonly typed: (line: string) => void
}

/** An interactive session: it shows prompts, echoes what is typed, and shows long answers page by page. */
export class DeviceShell {
  readonly output: DeviceOutput
  readonly #cli: DeviceCli
  readonly #options: ShellOptions
  readonly #editor: LineEditor
  /** Typed while the device was busy. */
  #ahead = ''
  #busy = false
  /** What has not been shown of a long answer. */
  #pages: string[] | undefined

  constructor(channel: ServerChannel, cli: DeviceCli, options: ShellOptions) {
    this.#cli = cli
    this.#options = options
    this.output = new DeviceOutput(channel, options.output)
    this.#editor = new LineEditor({
      line: (text) => this.#take(text),
      key: (key) => this.#turnPage(key),
      echo: (text) => this.output.write(text),
    })
    channel.on('data', (data: Buffer) => {
      this.#ahead += data.toString()
      this.#read()
    })
    if (options.motd !== '') this.output.write(`${options.motd.replaceAll('\n', '\r\n')}\r\n`)
    this.#ready()
  }

  /** Shows something that nobody asked for, as a log line on the console. */
  interrupt(text: string): void {
    this.output.write(`\r\n${text}\r\n${this.#cli.prompt}`)
  }

  #read(): void {
    while (!this.#busy && this.#ahead !== '') {
      const [key = ''] = this.#ahead
      this.#ahead = this.#ahead.slice(key.length)
      this.#editor.type(key)
    }
  }

  #take(line: string): void {
    this.#options.typed(this.#cli.hidden ? '***' : line)
    this.#pages = [...this.#cli.take(line)]
    this.#showPage(this.#cli.pageLength)
  }

  #showPage(lines: number): void {
    const pages = this.#pages ?? []
    const shown = lines === 0 ? pages.splice(0) : pages.splice(0, lines)
    const text = shown.map((line) => `${line}\r\n`).join('')
    if (pages.length === 0) this.#pages = undefined
    this.output.write(text)
    if (pages.length === 0) this.#ready()
    else this.#wait(this.#options.kind.pager.text)
  }

  /** @returns whether the key was meant for the pager */
  #turnPage(key: string): boolean {
    if (this.#pages === undefined) return false
    this.output.write(this.#options.kind.pager.wipe)
    if (key === 'q') this.#pages = []
    this.#showPage(key === '\r' || key === '\n' ? 1 : this.#cli.pageLength)
    return true
  }

  #ready(): void {
    this.#editor.hidden = this.#cli.hidden
    this.#wait(this.#cli.prompt)
  }

  /** Input is read again when all has been said. */
  #wait(text: string): void {
    this.#busy = true
    this.output.write(text)
    this.output.whenDrained(() => {
      this.#busy = false
      this.#read()
    })
  }
}
