import type { Command } from 'commander'
import { ApiClient, type ClientOptions } from './client.ts'
import type { Io } from './io.ts'
import { wantsColor } from './io.ts'
import { type Paint, painter, toJson } from './text.ts'

/** What every command is given. */
export interface CommandContext {
  readonly io: Io
  readonly paint: Paint
  /** Whether programs read what is written. */
  readonly json: boolean
  /** Writes a line. */
  print(line: string): void
  /** Writes the answer: as JSON if that is wanted, otherwise as lines. */
  answer(value: unknown, lines: () => readonly string[]): void
  /** The client, which is closed when the command has ended. */
  client(): ApiClient
}

/** The options that all commands have. */
export interface CommonOptions extends ClientOptions {
  readonly json?: boolean
}

/** Runs a command, and closes what it has opened. */
export async function withContext(io: Io, command: Command, run: (context: CommandContext) => Promise<void>): Promise<void> {
  const options = command.optsWithGlobals<CommonOptions>()
  let client: ApiClient | undefined
  const print = (line: string): void => void io.stdout.write(`${line}\n`)
  const json = options.json === true
  try {
    await run({
      io,
      json,
      paint: painter(wantsColor(io)),
      print,
      answer: (value, lines) => {
        if (json) print(toJson(value, 2))
        else for (const line of lines()) print(line)
      },
      client: () => {
        client ??= new ApiClient(options, io)
        return client
      },
    })
  } finally {
    await client?.close()
  }
}
