import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { ConformanceOptions } from './conformance.ts'
import type { Scene, SceneCase } from './conformance-scene.ts'

/** How many connects are aborted, at moments spread over the time that one takes. */
const ABORTED_CONNECTS = 24
const CLIENTS_AT_ONCE = 20

/** How connects succeed, fail, and are given up. */
export function connectCases<Client>({ createRefusedDriver }: ConformanceOptions<Client>): SceneCase<Client>[] {
  const cases: SceneCase<Client>[] = [
    {
      name: 'connects, answers a check and a request, says goodbye, and leaves nothing',
      async run(scene) {
        const client = await scene.measure('connect', () => scene.connect())
        await scene.measure('check', () => scene.check(client))
        await scene.options.request(client)
        await scene.within(scene.patienceMs, Promise.resolve(scene.driver.close(client)), 'close')
        await scene.untilNothingIsLeft()
      },
    },
    {
      name: `makes ${CLIENTS_AT_ONCE} clients at once, each with a socket of its own`,
      async run(scene) {
        const clients = await Promise.all(Array.from({ length: CLIENTS_AT_ONCE }, () => scene.connect()))
        assert.equal(new Set(clients).size, CLIENTS_AT_ONCE)
        assert.equal(scene.proxy.flows().length, CLIENTS_AT_ONCE)
        await Promise.all(clients.map((client) => scene.check(client)))
        await Promise.all(clients.map((client) => scene.driver.close(client)))
        await scene.untilNothingIsLeft()
      },
    },
    {
      name: 'rejects a connect that is refused, and may soon try again',
      async run(scene) {
        await scene.proxy.refuse()
        const error = await scene.rejection(scene.patienceMs, scene.beginConnect().client, 'the connect')
        assert.notEqual(scene.driver.classify?.(error), 'fatal')
        await scene.proxy.heal()
        await scene.check(await scene.connect())
      },
    },
    {
      name: 'rejects a connect that is reset, and may soon try again',
      async run(scene) {
        scene.proxy.inject({ kind: 'reset' })
        const error = await scene.rejection(scene.patienceMs, scene.beginConnect().client, 'the connect')
        assert.notEqual(scene.driver.classify?.(error), 'fatal')
        await scene.untilNothingIsLeft()
        await scene.check(await scene.connect())
      },
    },
    {
      name: 'rejects a connect that the peer ends without a word, and may soon try again',
      async run(scene) {
        const { target } = scene.proxy
        const mute = await listenAndEnd()
        try {
          scene.proxy.target = { port: (mute.address() as AddressInfo).port }
          const error = await scene.rejection(scene.patienceMs, scene.beginConnect().client, 'the connect')
          assert.notEqual(scene.driver.classify?.(error), 'fatal')
          await scene.untilNothingIsLeft()
        } finally {
          mute.close()
        }
        scene.proxy.target = target
        await scene.check(await scene.connect())
      },
    },
    {
      name: 'makes no socket when its connect is aborted before it begins',
      async run(scene) {
        const connecting = scene.driver.connect({ signal: AbortSignal.abort(), connectionId: 'conformance-1', attempt: 1 })
        await scene.rejection(scene.promptMs, Promise.resolve(connecting), 'the connect')
        // One that was made just now would not be seen yet.
        assert.equal(await scene.countSockets(), 0, 'the connect made a socket')
      },
    },
    {
      name: 'rejects at once when its connect to a peer that never answers is aborted, and leaves nothing, not even later',
      async run(scene) {
        scene.proxy.inject({ kind: 'unanswered' })
        const { client, abort } = scene.beginConnect()
        await scene.until(scene.patienceMs, () => scene.proxy.flows().length > 0, 'the connect reaches the peer')
        abort()
        await scene.measure('abort of a connect', () => scene.rejection(scene.promptMs, client, 'the aborted connect'))
        await scene.untilNothingIsLeft()
        await delay(scene.promptMs)
        assert.equal(await scene.countSockets(), 1, 'the connect went on after its abort')
      },
    },
    {
      name: 'leaves nothing wherever its connect is aborted',
      run: (scene) => abortEverywhere(scene),
    },
  ]
  if (createRefusedDriver !== undefined) {
    cases.push({
      name: 'rejects a connect with wrong credentials as fatal, and leaves nothing',
      async run(scene) {
        const driver = createRefusedDriver(scene.proxy)
        const error = await scene.rejection(scene.patienceMs, scene.beginConnect(driver).client, 'the connect')
        assert.equal(driver.classify?.(error), 'fatal')
        await scene.untilNothingIsLeft()
      },
    })
  }
  return cases
}

/** Ends every connection as soon as it is there: a server that has no room, or is about to leave. */
async function listenAndEnd(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.resume().end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function abortEverywhere<Client>(scene: Scene<Client>): Promise<void> {
  // Slow enough that there are moments between the steps of a connect.
  scene.proxy.inject({ kind: 'latency', ms: 2, jitter: 2 })
  const start = performance.now()
  scene.driver.destroy(await scene.connect())
  const usual = performance.now() - start

  const outcomes = await Promise.all(
    Array.from({ length: ABORTED_CONNECTS }, async (_, index) => {
      const { client, abort } = scene.beginConnect()
      await delay((usual * index) / ABORTED_CONNECTS)
      abort()
      const outcome = client.then(
        (arrived) => scene.driver.destroy(arrived),
        () => 'aborted',
      )
      return scene.within(scene.promptMs, outcome, `the connect aborted after ${index}/${ABORTED_CONNECTS} of its usual time`)
    }),
  )
  assert.ok(outcomes.includes('aborted'), 'no connect was aborted')
  await scene.untilNothingIsLeft()
}
