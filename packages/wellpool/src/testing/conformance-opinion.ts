import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { ConformanceOptions } from './conformance.ts'
import type { Scene, SceneCase } from './conformance-scene.ts'

/** What the pool takes for the longest round trip. */
const LIMIT_MS = 100
/** For longer than that, with what a busy machine may add. */
const SILENT_MS = 400
/** After so long a second opinion is no longer wanted. */
const ABORT_MS = 50

/** What a driver has to find out about one client over another, if it offers to. */
export function opinionCases<Client>(options: ConformanceOptions<Client>): SceneCase<Client>[] {
  const { createDriver, kill, longRequest } = options
  if (createDriver({ host: '127.0.0.1', port: 1 }).secondOpinion === undefined) return []
  const cases: SceneCase<Client>[] = [
    {
      name: 'does not take a client without a request for dead, whatever has become of its flow',
      async run(scene) {
        const { client, ask } = await subject(scene)
        await scene.options.request(client)
        assert.notEqual(await ask(), 'gone', 'its flow is well')
        scene.proxy.inject({ kind: 'silence' }, { id: 1 })
        await delay(SILENT_MS)
        assert.notEqual(await ask(), 'gone', 'nobody waits for an answer')
      },
    },
    ...(['both directions', 'one direction'] as const).map(
      (extent): SceneCase<Client> => ({
        name: `finds out over another client that a request will have no answer, its flow being silent in ${extent}`,
        async run(scene) {
          const { client, ask } = await subject(scene)
          scene.proxy.inject(extent === 'both directions' ? { kind: 'silence' } : { kind: 'silence', direction: 'to-client' }, { id: 1 })
          const request = begin(scene.options.request, client)
          await delay(SILENT_MS)
          assert.equal(scene.driver.mayAskAbout?.(client) ?? true, true, 'there is something to ask about')
          // The pool asks again as well: a server may need to be seen twice before that proves something.
          await scene.measure('silent, asked until told', () =>
            scene.until(scene.patienceMs, async () => (await ask()) === 'gone', 'it is found out'),
          )
          scene.driver.destroy(client)
          await request
        },
      }),
    ),
    {
      name: 'gives up a second opinion at once when its signal is aborted, the other client being silent as well',
      async run(scene) {
        const [client, other] = [await scene.connect(), await scene.connect()]
        scene.proxy.inject({ kind: 'silence' })
        const request = begin(scene.options.request, client)
        const asked = ask(scene, client, other, { signal: AbortSignal.timeout(ABORT_MS), limit: LIMIT_MS }).catch(() => 'given up')
        assert.notEqual(await scene.within(ABORT_MS + scene.promptMs, asked, 'the second opinion'), 'gone', 'nothing was proven')
        for (const silent of [client, other]) scene.driver.destroy(silent)
        await request
      },
    },
  ]
  if (longRequest !== undefined) {
    cases.push({
      name: 'leaves a request alone that takes long',
      async run(scene) {
        const { client, ask } = await subject(scene)
        const request = longRequest(client)
        // It is awaited below, unless this case fails before that.
        request.catch(() => {})
        for (let times = 0; times < 2; times++) {
          await delay(SILENT_MS)
          assert.equal(await ask(), 'working')
        }
        await request
        await scene.check(client)
      },
    })
  }
  if (kill !== undefined) {
    cases.push({
      name: 'finds out over another client that the session of a request was ended behind a silent flow',
      async run(scene) {
        const { client, ask } = await subject(scene)
        scene.proxy.inject({ kind: 'silence' }, { id: 1 })
        const request = begin(scene.options.request, client)
        await kill(client)
        await delay(SILENT_MS)
        assert.equal(await ask(), 'gone')
        scene.driver.destroy(client)
        await request
      },
    })
  }
  return cases
}

/** A client on the first flow, and what is said of it over another one. */
async function subject<Client>(scene: Scene<Client>): Promise<{ client: Client; ask: () => Promise<unknown> }> {
  const client = await scene.connect()
  const other = await scene.connect()
  const context = { signal: AbortSignal.timeout(scene.patienceMs), limit: LIMIT_MS }
  return { client, ask: () => scene.within(scene.patienceMs, ask(scene, client, other, context), 'the second opinion') }
}

async function ask<Client>(
  scene: Scene<Client>,
  client: Client,
  other: Client,
  context: { signal: AbortSignal; limit: number },
): Promise<unknown> {
  return scene.driver.secondOpinion?.(client, other, context)
}

/** A request whose end is of no interest; resolves when it has come. */
async function begin<Client>(send: (client: Client) => unknown, client: Client): Promise<void> {
  try {
    await send(client)
  } catch {
    // Its flow was destroyed.
  }
}
