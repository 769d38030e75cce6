import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SocketActivity } from '../../src/shared/socket-activity.ts'

let ours: Socket
let theirs: Socket

beforeEach(async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const arrival = once(server, 'connection')
  ours = createConnection((server.address() as AddressInfo).port, '127.0.0.1')
  await once(ours, 'connect')
  theirs = (await arrival)[0]
  server.close()
})

afterEach(() => {
  ours.destroy()
  theirs.destroy()
})

it('knows for how long nothing was sent or heard', async () => {
  const activity = new SocketActivity(ours)
  await delay(60)
  expect(activity.quietFor).toBeGreaterThan(50)
  ours.write('to them')
  expect(activity.quietFor).toBeLessThan(30)
  await delay(60)
  expect(activity.quietFor).toBeGreaterThan(50)
  theirs.write('to us')
  await once(ours, 'data')
  expect(activity.quietFor).toBeLessThan(30)
})

it('calls a socket that nobody reads busy, whatever has arrived', async () => {
  const activity = new SocketActivity(ours)
  ours.pause()
  await delay(60)
  expect(activity.quietFor).toBe(0)
})

it('counts what was sent since something was last heard', async () => {
  ours.write('before')
  const activity = new SocketActivity(ours)
  expect(activity.sentBytes).toBe(0)
  ours.write('to them')
  ours.write('and more')
  expect(activity.sentBytes).toBe(15)
  theirs.write('to us')
  await once(ours, 'data')
  expect(activity.sentBytes).toBe(0)
})
