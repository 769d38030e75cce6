import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { collect } from '../../src/drivers/ssh-exec.ts'

it('rejects when the output of a command cannot become a text', async () => {
  const channel = Object.assign(new PassThrough(), { stderr: new PassThrough() })
  const { signal } = new AbortController()
  // Stands for an output of more than 512 MiB, which is longer than a text can be.
  const limits = { input: undefined, maxOutput: 10, encoding: 'none' as never, signal, name: 'host' }
  const collected = collect(channel as never, limits)
  channel.end('x')
  channel.stderr.end()
  await expect(collected).rejects.toThrow('Unknown encoding')
})
