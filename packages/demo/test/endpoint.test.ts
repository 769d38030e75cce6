import { expect, it } from 'vitest'
import { useForeign } from '../src/endpoint.ts'

it('leads through the proxy, keeps database and user, and sets aside what the demo sets itself', async () => {
  const endpoint = await useForeign('postgres://me:se%2Fcret@db.example:6000/shop?sslmode=disable&application_name=mine&query_timeout=9')
  try {
    expect(endpoint.label).toBe('db.example:6000')
    expect(endpoint.url).toBe('postgres://me:se%2Fcret@db.example:6000/shop?sslmode=disable')
    expect(endpoint.proxiedUrl).toBe(`postgres://me:se%2Fcret@127.0.0.1:${endpoint.proxy.port}/shop?sslmode=disable`)
    expect(endpoint.proxy.target).toEqual({ host: 'db.example', port: 6_000 })
  } finally {
    await endpoint.close()
  }
})

it.each(['mysql://me:secret@host/db', 'postgres://me:secret@host:port/db', 'postgres:///db?host=/sockets&password=secret', 'secret'])(
  'refuses %s without showing the password',
  async (url) => {
    await expect(useForeign(url)).rejects.toThrow(/^WELLPOOL_DEMO_POSTGRES_URL is no postgres:\/\/user:password@host:port\/database$/)
  },
)
