import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { ConformanceOptions } from './conformance.ts'
import type { Scene, SceneCase } from './conformance-scene.ts'

/** The latency with which a check shows that it waits for the peer. */
const LATENCY_MS = 60
/** An answer comes in pieces of 3 bytes: so slowly, and for so long, as it may be a long one. */
const PIECES = { kind: 'bandwidth', bytesPerSecond: 60, direction: 'to-client' } as const
const PIECES_MS = 500

/** What becomes of a client once it is there. */
export function lifeCases<Client>(options: ConformanceOptions<Client>): SceneCase<Client>[] {
  const { failingRequest, kill, leaveBehind, isClean, restart } = options
  const cases: SceneCase<Client>[] = [
    {
      name: 'checks with a full round trip to the peer',
      async run(scene) {
        const client = await scene.connect()
        const before = scene.proxy.flows()[0]?.toServer.received ?? 0
        scene.proxy.inject({ kind: 'latency', ms: LATENCY_MS })
        const start = performance.now()
        await scene.check(client)
        const elapsed = performance.now() - start
        assert.ok(elapsed >= 2 * LATENCY_MS, `the check took ${elapsed} ms over a line that takes ${2 * LATENCY_MS} ms`)
        assert.ok((scene.proxy.flows()[0]?.toServer.received ?? 0) > before, 'the check sent nothing')
      },
    },
    {
      name: 'understands an answer that arrives in pieces',
      async run(scene) {
        const client = await scene.connect()
        const pieces = scene.proxy.inject(PIECES)
        const check = scene.check(client)
        await Promise.race([check, delay(PIECES_MS)])
        pieces.heal()
        await check
        await scene.check(client)
        await scene.options.request(client)
      },
    },
    {
      name: 'does not take for fatal what a borrower has thrown of its own, whatever it is',
      async run({ driver }) {
        for (const thrown of [new Error("the borrower's own"), 'a text', 0, undefined, null])
          assert.notEqual(driver.classify?.(thrown), 'fatal', `what it says of ${String(thrown)}`)
      },
    },
    ...(['both directions', 'one direction'] as const).map(
      (extent): SceneCase<Client> => ({
        name: `rejects a check at once when its signal is aborted, the peer being silent in ${extent}, and works when it is back`,
        async run(scene) {
          const client = await scene.connect()
          scene.proxy.inject(extent === 'both directions' ? { kind: 'silence' } : { kind: 'silence', direction: 'to-client' })
          for (const ms of [20, 1]) {
            const start = performance.now()
            await scene.rejection(ms + scene.promptMs, scene.check(client, ms), 'the check of a silent peer')
            scene.options.report?.('abort of a check', performance.now() - start - ms)
          }
          await scene.proxy.heal()
          await scene.check(client)
          await scene.options.request(client)
        },
      }),
    ),
    {
      name: 'rejects a check after destroy and after close',
      async run(scene) {
        for (const end of ['destroy', 'close'] as const) {
          const client = await scene.connect()
          await scene.driver[end](client)
          await scene.rejection(scene.promptMs, scene.check(client), `the check after ${end}`)
        }
      },
    },
    {
      name: 'may be closed and destroyed as often as one likes, in any order',
      async run(scene) {
        const { driver } = scene
        for (const steps of [
          ['close', 'close'],
          ['destroy', 'destroy'],
          ['close', 'destroy', 'destroy'],
          ['destroy', 'close', 'close', 'destroy'],
        ] as const) {
          const client = await scene.connect()
          for (const step of steps) {
            // A goodbye that nobody can hear any more may fail; it must not last for ever, nor harm.
            const ended = Promise.resolve(driver[step](client)).catch(() => {})
            await scene.within(scene.patienceMs, ended, `${step} of ${steps.join(', ')}`)
          }
        }
        await scene.untilNothingIsLeft()
      },
    },
    {
      name: 'lets go of its socket at once on destroy, even if the peer is silent and a goodbye is under way',
      async run(scene) {
        const [first, second] = [await scene.connect(), await scene.connect()]
        scene.proxy.inject({ kind: 'silence' })
        const closing = Promise.resolve(scene.driver.close(second)).catch(() => {})
        assert.equal(scene.driver.destroy(first), undefined)
        assert.equal(scene.driver.destroy(second), undefined)
        await scene.measure('destroy', () => scene.untilSocketsAreClosed())
        await scene.within(scene.promptMs, closing, 'the goodbye that was cut short')
        await scene.untilNothingIsLeft()
      },
    },
    {
      name: 'reports a client as lost when its flow is reset, and calls its errors fatal',
      async run(scene) {
        const client = await scene.connect()
        const lost = scene.lost(client)
        scene.proxy.inject({ kind: 'reset' }, 'present')
        await scene.measure('reset until lost', () => scene.within(scene.lostMs, lost, 'the report'))
        await assertUseless(scene, client)
      },
    },
  ]

  if (failingRequest !== undefined) {
    cases.push({
      name: "calls an error that the peer answers with the application's own, and works on",
      async run(scene) {
        const client = await scene.connect()
        const error = await scene.rejection(scene.patienceMs, request(failingRequest, client), 'the failing request')
        assert.equal(scene.driver.classify?.(error), 'application')
        await scene.check(client)
        await scene.options.request(client)
      },
    })
  }
  if (kill !== undefined) {
    cases.push({
      name: 'reports a client as lost when the server ends its session, and calls its errors fatal',
      async run(scene) {
        const client = await scene.connect()
        const lost = scene.lost(client)
        await scene.measure('killed until lost', async () => {
          await kill(client)
          await scene.within(scene.lostMs, lost, 'the report')
        })
        await assertUseless(scene, client)
      },
    })
    cases.push({
      name: 'reports a client that was lost before it was watched',
      async run(scene) {
        const client = await scene.connect()
        await kill(client)
        await scene.untilSocketsAreClosed()
        await scene.within(scene.lostMs, scene.lost(client), 'the report')
      },
    })
  }
  if (leaveBehind !== undefined && isClean !== undefined) {
    cases.push({
      name: 'undoes on reset what a borrower has left behind',
      async run(scene) {
        const client = await scene.connect()
        assert.equal(await isClean(client), true, 'a new client is clean')
        await leaveBehind(client)
        assert.equal(await isClean(client), false, 'something is left behind')
        await scene.driver.reset?.(client)
        assert.equal(await isClean(client), true, 'the client is clean after reset')
        await scene.check(client)
      },
    })
  }
  if (restart !== undefined) {
    cases.push({
      name: 'reports a client as lost when the server restarts, and connects again',
      async run(scene) {
        const client = await scene.connect()
        const lost = scene.lost(client)
        await restart()
        await scene.within(scene.lostMs, lost, 'the report')
        await scene.check(await scene.connect())
      },
    })
  }
  return cases
}

/** A lost client must fail, and say that it is of no more use. */
async function assertUseless<Client>(scene: Scene<Client>, client: Client): Promise<void> {
  await scene.rejection(scene.promptMs, scene.check(client), 'the check of a lost client')
  const error = await scene.rejection(scene.promptMs, request(scene.options.request, client), 'the request over a lost client')
  assert.equal(scene.driver.classify?.(error), 'fatal')
}

async function request<Client>(send: (client: Client) => unknown, client: Client): Promise<unknown> {
  return send(client)
}
