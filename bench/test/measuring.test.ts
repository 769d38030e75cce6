import { fork } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { compile } from '../src/compile.ts'

test('a measuring process ends with whoever has started it, and measures nothing beside the next', { timeout: 20_000 }, async () => {
  await using compiled = await compile([new URL('fixtures/endless.ts', import.meta.url)], { sources: true })
  const child = fork(compiled.program, ['endless', 'nobody'], { env: { ...process.env, NODE_OPTIONS: '' } })
  try {
    await once(child, 'message')
    const ended = once(child, 'exit')
    child.disconnect()
    expect(await ended).toEqual([0, null])
  } finally {
    child.kill('SIGKILL')
  }
})
