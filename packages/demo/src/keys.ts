import { emitKeypressEvents, type Key } from 'node:readline'
import type { ReadStream } from 'node:tty'

/** What a key asks for. */
export type Command = { readonly name: 'quit' | 'pause' | 'rebuild' | 'suspend' } | { readonly name: 'fault'; readonly key: string }

/** Listens to the keys of a terminal. @returns what ends it and gives the keyboard back */
export function listenToKeys(input: ReadStream, faultKeys: readonly string[], told: (command: Command) => void): () => void {
  const listener = (_: string | undefined, key: Key): void => {
    const command = commandOf(key, faultKeys)
    if (command !== undefined) told(command)
  }
  emitKeypressEvents(input)
  input.setRawMode(true)
  input.on('keypress', listener)
  input.resume()
  return () => {
    input.off('keypress', listener)
    input.setRawMode(false)
    input.pause()
  }
}

/** In raw mode Ctrl-C and Ctrl-Z are keys like any other: the terminal does not act on them. */
export function commandOf({ name, sequence, ctrl }: Key, faultKeys: readonly string[]): Command | undefined {
  if (ctrl === true) return name === 'c' || name === 'd' ? { name: 'quit' } : name === 'z' ? { name: 'suspend' } : undefined
  if (name === 'q') return { name: 'quit' }
  if (name === 'p') return { name: 'pause' }
  if (name === 'r') return { name: 'rebuild' }
  return sequence !== undefined && faultKeys.includes(sequence) ? { name: 'fault', key: sequence } : undefined
}
