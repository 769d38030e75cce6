import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { TcpConversation } from '../../src/drivers/tcp-conversation.ts'
import { createCoder, type FrameCoder } from '../../src/drivers/tcp-framing.ts'

const never = new AbortController().signal

/** A socket whose other end is the test. */
class Line extends Duplex {
  readonly sent: string[] = []
  override _read(): void {}
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.sent.push(String(chunk))
    done()
  }
}

/** A conversation after its set-up: nobody has asked for anything. */
async function begin(maxKept = 1000) {
  const line = new Line()
  const conversation = new TcpConversation(line as unknown as Socket, createCoder('line', 100) as FrameCoder<string>, maxKept)
  await conversation.settle()
  const ended = vi.fn<(error: Error) => void>()
  conversation.onEnd = ended
  /** Lets this arrive, as one piece, and be read. */
  const arrive = async (text: string): Promise<void> => {
    line.push(text)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { line, conversation, ended, arrive }
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fulfilled',
    (error: { code?: string }) => error.code,
  )

describe('TcpConversation', () => {
  it('gives each request the frame at its place', async () => {
    const { line, conversation, arrive } = await begin()
    const answers = Promise.all(['a', 'b', 'c'].map((text) => conversation.request(text)))
    expect(line.sent).toEqual(['a\n', 'b\n', 'c\n'])
    await arrive('1\n2')
    await arrive('\n3\n')
    expect(await answers).toEqual(['1', '2', '3'])
    expect([conversation.inStep, conversation.arrived]).toEqual([true, 3])
  })

  it('ends with a byte that nobody has asked for', async () => {
    const { line, conversation, ended, arrive } = await begin()
    await arrive('x')
    expect(ended).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'UNASKED_FRAME' }))
    expect(line.destroyed).toBe(true)
    expect(await codeOf(conversation.request('a'))).toBe('UNASKED_FRAME')
    expect(line.sent).toEqual([])
  })

  it('ends with a frame more than was asked for, in the same piece', async () => {
    const { conversation, ended, arrive } = await begin()
    const answer = conversation.request('a')
    await arrive('1\n2\n3\n')
    expect(await answer).toBe('1')
    expect(ended).toHaveBeenCalledOnce()
  })

  it('does not take what had begun before a request for its answer', async () => {
    const { conversation, arrive } = await begin()
    await conversation.send('news')
    await arrive('fla')
    const answer = conversation.request('a')
    await arrive('sh\n1\n')
    expect(await answer).toBe('1')
    expect(await conversation.receive(never)).toBe('flash')
  })

  it('gives a frame that nobody has asked for to onUnasked, and nothing after its end', async () => {
    const { conversation, ended, arrive } = await begin()
    const heard = vi.fn<(frame: string) => void>((frame) => {
      if (frame === 'stop') throw new Error('stopped')
    })
    conversation.onUnasked = heard
    await arrive('one\nstop\nthree\n')
    expect(heard.mock.calls).toEqual([['one'], ['stop']])
    expect(ended).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'stopped' }))
  })

  it('tells onUnasked nothing while somebody talks', async () => {
    const { conversation, arrive } = await begin()
    const heard = vi.fn<(frame: string) => void>()
    conversation.onUnasked = heard
    await conversation.send('list')
    await arrive('1\n2\n')
    expect(heard).not.toHaveBeenCalled()
    expect([await conversation.receive(never), await conversation.receive(never)]).toEqual(['1', '2'])
  })

  it('goes on telling onUnasked when something was sent aside', async () => {
    const { conversation, arrive } = await begin()
    const heard = vi.fn<(frame: string) => void>()
    conversation.onUnasked = heard
    await conversation.send('heard', true)
    await arrive('1\n')
    expect(heard).toHaveBeenCalledExactlyOnceWith('1')
    expect(conversation.inStep).toBe(true)
  })

  describe('settle', () => {
    it('waits for the answers that nobody wants any more', async () => {
      const { conversation, arrive } = await begin()
      void conversation.request('a')
      void conversation.request('b')
      const settled = vi.fn<() => void>()
      const settling = conversation.settle().then(settled)
      await arrive('1\n')
      expect(settled).not.toHaveBeenCalled()
      await arrive('2\n')
      await settling
      expect(conversation.inStep).toBe(true)
    })

    it.each([
      ['frames that nobody has read', '1\n2\n', 'frames that nobody has read (2)'],
      ['a part of a frame', '1', 'a part of a frame'],
    ])('rejects with %s', async (_, text, message) => {
      const { conversation, arrive } = await begin()
      await conversation.send('list')
      await arrive(text)
      await expect(conversation.settle()).rejects.toMatchObject({ code: 'OUT_OF_STEP', message: expect.stringContaining(message) })
    })

    it('rejects with a request that follows the last answer at once', async () => {
      const { conversation, arrive } = await begin()
      void conversation.request('a').then(() => conversation.request('b'))
      const settling = codeOf(conversation.settle())
      await arrive('1\n')
      expect(await settling).toBe('OUT_OF_STEP')
    })

    it('rejects when the connection ends first, and ever after', async () => {
      const { conversation } = await begin()
      const requests = [conversation.request('a'), conversation.receive(never), conversation.settle()].map(codeOf)
      conversation.end(new Error('gone'))
      expect(await Promise.all(requests)).toEqual(['CLOSED', 'RELEASED', 'CLOSED'])
      expect(await codeOf(conversation.settle())).toBe('CLOSED')
    })

    it('takes the client from those who still wait for frames', async () => {
      const { conversation } = await begin()
      const waiting = codeOf(conversation.receive(never))
      await conversation.settle()
      expect(await waiting).toBe('RELEASED')
    })
  })

  it('reads no further than there is room for frames that nobody has read', async () => {
    const { line, conversation, arrive } = await begin(130)
    await conversation.send('list')
    await arrive('12\n34\n')
    expect(line.isPaused()).toBe(true)
    expect(await conversation.receive(never)).toBe('12')
    expect(line.isPaused()).toBe(false)
  })

  it('reads what it no longer wants to know, to hear of its end', async () => {
    const { line, conversation, ended, arrive } = await begin(130)
    await conversation.send('list')
    await arrive('12\n34\n')
    conversation.leave()
    await arrive(`${'x'.repeat(1000)}\n`)
    line.push(null)
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce())
    expect(ended.mock.calls[0]?.[0].message).toContain('the peer has ended the connection')
  })

  it('says that it ended in the middle of a frame', async () => {
    const { line, conversation, ended, arrive } = await begin()
    void conversation.request('a').catch(() => {})
    await arrive('12')
    line.push(null)
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce())
    expect(ended.mock.calls[0]?.[0].message).toBe('the peer has ended the connection in the middle of a frame')
  })

  it('tells of the first error only', async () => {
    const { line, conversation, ended } = await begin()
    const request = conversation.request('a')
    line.destroy(new Error('first'))
    await expect(request).rejects.toMatchObject({ code: 'CLOSED', cause: { message: 'first' } })
    conversation.end(new Error('second'))
    expect(ended).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'first' }))
  })

  it('does not send after its own end of sending', async () => {
    const { line, conversation } = await begin()
    line.end()
    expect(await codeOf(conversation.request('a'))).toBe('CLOSED')
  })
})
