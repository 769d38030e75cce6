import type ssh2 from 'ssh2'
import type { Duration } from '../engine/duration.ts'
import { show } from '../shared/option-rules.ts'
import { hangUp } from './ssh-channels.ts'
import { SshError } from './ssh-errors.ts'

/** How a command is run. */
export interface RunOptions {
  /** The longest that it may take, ms or text; 0: for ever. Default: the driver's `commandTimeout`. */
  readonly timeout?: Duration | undefined
  /** Gives it up: its channel is closed, and the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** What it reads; its end follows. Without it the command's input stays open: give `''` to one that reads it. */
  readonly input?: string | Buffer | undefined
  /** The most that it may write, bytes, its errors included. Default: the driver's `maxOutput`. */
  readonly maxOutput?: number | undefined
  /** How its output is to be read. Default `utf8`. */
  readonly encoding?: BufferEncoding | undefined
}

/** What a command has written, and how it ended. */
export interface RunResult {
  readonly stdout: string
  readonly stderr: string
  /** Null when a signal ended it, or when the peer did not say how it ended. */
  readonly code: number | null
  /** The signal that ended it: `SIGTERM`. */
  readonly signal?: string
}

interface Collecting extends Pick<RunOptions, 'input'> {
  readonly maxOutput: number
  readonly encoding: BufferEncoding
  readonly signal: AbortSignal
  /** Stands in front of messages. */
  readonly name: string
}

/** @throws TypeError when one of them is wrong */
export function checkRunOptions({ maxOutput, encoding }: RunOptions): void {
  if (maxOutput !== undefined && !(typeof maxOutput === 'number' && maxOutput >= 1))
    throw new TypeError(`maxOutput: got ${show(maxOutput)}, allowed is a number of bytes from 1`)
  if (encoding !== undefined && !(typeof encoding === 'string' && Buffer.isEncoding(encoding)))
    throw new TypeError(`encoding: got ${show(encoding)}, allowed is a text's encoding, such as 'utf8' or 'latin1'`)
}

/**
 * Reads all that a command writes. Resolves when the peer has closed the channel.
 *
 * @param options `signal` closes the channel; the promise is left alone then
 * @throws SshError SSH_OUTPUT_LIMIT
 * @throws Error of Node's when the output is longer than a text can be
 */
export async function collect(channel: ssh2.ClientChannel, { input, maxOutput, encoding, signal, name }: Collecting): Promise<RunResult> {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  let size = 0
  let end: Pick<RunResult, 'code' | 'signal'> = { code: null }
  await new Promise<void>((resolve, reject) => {
    const take = (chunks: Buffer[], chunk: Buffer): void => {
      size += chunk.length
      if (size <= maxOutput) chunks.push(chunk)
      else {
        hangUp(channel)
        reject(new SshError('SSH_OUTPUT_LIMIT', `${name}: the command wrote more than ${maxOutput} bytes (maxOutput), and was given up`))
      }
    }
    // The errors may still be on their way up when the output has ended.
    let open = 2
    const close = (): void => {
      if (--open === 0) resolve()
    }
    channel.on('data', (chunk: Buffer) => take(stdout, chunk))
    channel.stderr.on('data', (chunk: Buffer) => take(stderr, chunk))
    // How the command ended comes with this event. The one of its own may have come before anybody could listen.
    channel.once('close', (code?: number | null, by?: string) => {
      end = by === undefined ? { code: code ?? null } : { code: null, signal: by }
      close()
    })
    channel.stderr.once('close', close)
    // Writing to what has ended is no accident: a command may end without having read its input.
    channel.on('error', () => {})
    signal.addEventListener('abort', () => hangUp(channel), { once: true })
    if (signal.aborted) hangUp(channel)
    else if (input !== undefined) channel.end(input)
  })
  // Not in the events above: what is thrown there ends the process, and not every output can become a text.
  const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString(encoding)
  return { stdout: text(stdout), stderr: text(stderr), ...end }
}
