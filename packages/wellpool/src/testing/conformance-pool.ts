import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { Pool } from '../index.ts'
import type { ConformanceOptions } from './conformance.ts'
import type { Scene, SceneCase } from './conformance-scene.ts'

const BORROWERS = 60
/** A pool that looks after its connections every moment. */
const watchful = (checkMs: number) =>
  ({ healthCheckInterval: 2 * checkMs, healthCheckTimeout: checkMs, healthRecheckInterval: checkMs / 2, unhealthyThreshold: 2 }) as const

const VERIFY_IDLE_AFTER_MS = 200

/** How the driver does under a real pool. */
export function poolCases<Client>(options: ConformanceOptions<Client>): SceneCase<Client>[] {
  const { createRefusedDriver, kill, leaveBehind, isClean, request } = options
  const cases: SceneCase<Client>[] = [
    {
      name: 'serves a pool, and leaves nothing when it is drained',
      async run(scene) {
        const pool = scene.pool({ minConnections: 2, maxConnections: 5, maxConnecting: 5 })
        await Promise.all(Array.from({ length: BORROWERS }, () => pool.use(request)))
        assert.ok(scene.proxy.flows().length <= 5, 'no more sockets than connections')
        await scene.within(scene.patienceMs, pool.drain(), 'drain')
        await scene.untilNothingIsLeft()
      },
    },
    {
      name: 'leaves nothing when its pool is closed while it connects',
      async run(scene) {
        scene.proxy.inject({ kind: 'unanswered' })
        const pool = scene.pool({ minConnections: 2 })
        const starting = scene.rejection(scene.patienceMs, pool.start(), 'start')
        await scene.until(scene.patienceMs, () => scene.proxy.flows().length === 2, 'two connects are under way')
        await scene.within(scene.promptMs, pool.close(), 'close')
        await starting
        await scene.untilNothingIsLeft()
      },
    },
    {
      name: 'has its pool find and replace a connection that has fallen silent',
      async run(scene) {
        const pool = scene.pool({ ...watchful(scene.checkMs), minConnections: 2, maxConnections: 2 })
        await pool.start()
        scene.proxy.inject({ kind: 'silence' }, { id: 1 })
        await scene.measure('silent until replaced', () => untilRebuilt(scene, pool))
        await scene.until(
          scene.promptMs,
          () => scene.proxy.flows().filter(({ clientOpen }) => clientOpen).length === 2,
          'two sockets are open',
        )
        assert.equal(scene.proxy.flows().find(({ id }) => id === 1)?.clientOpen, false, 'the silent socket is closed')
      },
    },
    {
      name: 'serves a borrower although every present connection has fallen silent',
      async run(scene) {
        const pool = scene.pool({ minConnections: 2, maxConnections: 4, verifyIdleAfter: VERIFY_IDLE_AFTER_MS, hedgeDelay: 20 })
        await pool.start()
        await delay(2 * VERIFY_IDLE_AFTER_MS)
        scene.proxy.inject({ kind: 'silence' }, 'present')
        await scene.measure('silent until served', () => scene.within(scene.patienceMs, pool.use(request), 'use'))
      },
    },
    {
      name: 'is back in its pool, with no call needed, when the endpoint is',
      async run(scene) {
        const pool = scene.pool({ minConnections: 2, maxConnections: 2, backoff: { base: 10, max: 50 } })
        await pool.start()
        await scene.proxy.refuse()
        scene.proxy.inject({ kind: 'reset' }, 'present')
        await scene.until(scene.patienceMs, () => pool.stats().total === 0 && pool.stats().connectFailures > 0, 'the pool is empty')
        await scene.measure('endpoint back until pool back', async () => {
          await scene.proxy.heal()
          await scene.until(scene.patienceMs, () => pool.stats().idle === 2, 'two connections are idle')
        })
        await pool.use(request)
      },
    },
  ]

  if (kill !== undefined) {
    cases.push({
      name: 'has its pool replace a connection that the server has ended',
      async run(scene) {
        const pool = scene.pool({ minConnections: 2, maxConnections: 2 })
        await pool.start()
        const lease = await pool.acquire()
        const { client } = lease
        lease.release()
        await scene.until(scene.patienceMs, () => pool.stats().idle === 2, 'two connections are idle')
        await scene.measure('killed until replaced', async () => {
          await kill(client)
          await untilRebuilt(scene, pool)
        })
        await pool.use(request)
      },
    })
  }
  if (leaveBehind !== undefined && isClean !== undefined) {
    cases.push({
      name: 'gives every borrower of its pool a clean client',
      async run(scene) {
        const pool = scene.pool({ minConnections: 1, maxConnections: 1 })
        const seen = new Set<Client>()
        for (let i = 0; i < 3; i++) {
          await pool.use(async (client) => {
            assert.equal(await isClean(client), true)
            await leaveBehind(client)
            seen.add(client)
          })
        }
        assert.equal(seen.size, 1, 'the client is reset, not replaced')
      },
    })
  }
  if (createRefusedDriver !== undefined) {
    cases.push({
      name: 'lets no secret be seen in what its pool says about wrong credentials',
      async run(scene) {
        const driver = createRefusedDriver(scene.proxy)
        const said: unknown[] = []
        const logger = Object.fromEntries(
          ['debug', 'info', 'warn', 'error'].map((level) => [level, (...words: unknown[]) => said.push(words)]),
        )
        const pool = scene.pool({ logger: logger as never, minConnections: 1 }, driver)
        for (const name of ['connectFailed', 'breakerOpened'] as const) pool.on(name, (event) => said.push(event))
        said.push(await scene.rejection(scene.patienceMs, pool.start(), 'start'))
        said.push(await scene.rejection(scene.patienceMs, pool.use(request, { timeout: 100 }), 'use'))
        said.push(pool.stats(), pool.connections(), driver)
        await pool.close()

        const secrets = driver.secrets?.() ?? []
        assert.ok(secrets.length > 0, 'the driver names the secrets that it was given')
        const text = inspect(said, { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null })
        for (const secret of secrets) assert.ok(!text.includes(secret), 'a secret can be seen')
      },
    })
  }
  return cases
}

async function untilRebuilt<Client>(scene: Scene<Client>, pool: Pool<Client>): Promise<void> {
  const healthy = (): boolean => {
    const { idle, rebuildsCompleted } = pool.stats()
    return rebuildsCompleted === 1 && idle === 2
  }
  await scene.until(scene.patienceMs, healthy, () => `one connection is rebuilt and two are idle: ${inspect(pool.connections())}`)
}
