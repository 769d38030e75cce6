import { createConnection } from 'node:net'
import { describe, expect, it } from 'vitest'
import { startSshd } from '../src/index.ts'

/** Resolves with the first line that the server says; the connection stays until the server ends it. */
function greet(port: number): Promise<{ line: string; ended: Promise<void> }> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    const ended = new Promise<void>((end) => socket.once('close', () => end()))
    socket.on('error', reject)
    socket.once('data', (data) => resolve({ line: data.toString().trim(), ended }))
  })
}

describe('SshdServer', { timeout: 60_000 }, () => {
  it('serves with keys of its own, restarts with the same port and keys, and leaves nothing when closed', async () => {
    const server = await startSshd({ hostKeys: ['ed25519', 'ecdsa'], settings: { MaxSessions: 3 } })
    expect(server.privateKey).toContain('PRIVATE KEY')
    expect(server.hostKeys.map(({ line }) => line.split(' ')[0])).toEqual(['ssh-ed25519', 'ecdsa-sha2-nistp256'])
    for (const { fingerprint } of server.hostKeys) expect(fingerprint).toMatch(/^SHA256:[\w+/]{43}$/)
    expect(server.knownHosts.split('\n')[0]).toBe(`[127.0.0.1]:${server.port} ${server.hostKeys[0]?.line}`)

    const first = await greet(server.port)
    expect(first.line).toMatch(/^SSH-2\.0-OpenSSH/)
    expect(await server.sessions()).toHaveLength(1)
    const { port, knownHosts } = server
    await server.restart()
    await first.ended
    expect([server.port, server.knownHosts]).toEqual([port, knownHosts])
    expect(await server.sessions()).toEqual([])

    const second = await greet(port)
    await server.close()
    await second.ended
    await server.close()
    await expect(greet(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('says what the server said when it does not start, and leaves nothing', async () => {
    await expect(startSshd({ settings: { NoSuchSetting: 'yes' } })).rejects.toThrow(/NoSuchSetting/)
  })
})
