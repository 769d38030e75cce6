import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { startPostgres } from '@wellpool/servers'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createPools } from 'wellpool'
import { cli, startCli } from '../../server/test/support/cli.ts'
import { describeOwnPostgres, describePostgres } from '../../wellpool/test/support/postgres.ts'
import { Api } from '../src/api.ts'
import { Demo } from '../src/demo.ts'
import { useForeign } from '../src/endpoint.ts'
import { FAULTS } from '../src/faults.ts'
import { Journal } from '../src/journal.ts'
import { startRouter } from '../src/router.ts'
import { isGood, summarise } from '../src/summary.ts'
import { lineText } from '../src/text.ts'
import { isAlive, Program } from './support/program.ts'

await describeOwnPostgres('the demo without a terminal', () => {
  it('prints lines, runs the faults that fit, sums them up, and leaves no process', async () => {
    const demo = new Program(['--seconds', '8'])
    await demo.line(/fault made: backend \d+ killed/)
    const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(await demo.line(/to see its pools meanwhile/)) ?? []
    const { pools } = (await (await fetch(`${url}/api/v1/pools`)).json()) as { pools: { name: string; protocol: string }[] }
    expect(pools.map(({ name, protocol }) => [name, protocol])).toEqual([
      ['demo', 'postgres'],
      ['router', 'ssh'],
    ])
    const processes = await demo.processes()
    expect(processes.length).toBeGreaterThan(2)
    const { code, lines, errors } = await demo.ended()

    expect(errors).toBe('')
    const text = lines.join('\n')
    expect(text).toMatch(/^Starting PostgreSQL …\n/)
    expect(text).toMatch(/^0:00 {2}the load begins: PostgreSQL \d+\.\d+, embedded; router, simulated Cisco IOS XE over SSH$/m)
    expect(text).toMatch(/^0:01 {2}FAULT 1: one backend killed$/m)
    expect(text).toMatch(/demo-\d rebuilt in \d+ ms, generation 1 -> 2: connection_lost$/m)
    expect(text).toMatch(/^0:05 {4}requests \d+ ok 0 failed \d+ under way; p50 \d+ ms/m)
    expect(text).toMatch(/^0:05 {4}router \d+ ok 0 failed \d+ under way; .*; 1 of 5 sessions$/m)
    expect(text).toMatch(/^0:05 {4}router-\d generation 1 \w+ healthy, \d+ requests$/m)
    expect(text).toMatch(/^0:05 {4}demo-\d generation \d \w+ healthy, \d+ requests/m)
    expect(text).toContain(`npx wellpool top --url ${url}\n`)
    // 8 s are enough for the first two, and for none of the others.
    const summary = text.slice(text.indexOf('Summary of 8.0 s'))
    expect(summary).toMatch(
      /\+ healed 1 one backend killed: after \d+ ms \(allowed 1 s\), pool whole after \d+ ms; .*\[backend \d+ killed\]/,
    )
    expect(summary).toMatch(/\+ healed 2 all backends killed: after \d.* \(allowed 2 s\), pool whole after .*\[6 backends killed\]/)
    expect(summary).toMatch(
      /not run: all flows silent, half of them slow, server restarted, router rebooted \(all of them fit into --seconds \d+\)/,
    )
    expect(summary).toMatch(/\+ no invariant broken: at most [67] of 7 clients open, the server saw at most [67] sessions/)
    expect(summary).toMatch(/All healed: \d of \d faults, within their bounds\.$/)
    // 80 a second, however the machine was doing.
    expect(Number(/requests: (\d+) issued/.exec(summary)?.[1])).toBeGreaterThan(620)
    expect(summary).toMatch(/, 0 failed, 0 never settled/)
    expect(code).toBe(0)
    await vi.waitFor(() => expect(processes.filter(isAlive)).toEqual([]), 5_000)
  })

  it('ends in order when it is interrupted in the middle of a fault', async () => {
    const demo = new Program(['--seconds', '30'])
    await demo.line(/FAULT 1/)
    const processes = await demo.processes()
    demo.signal('SIGINT')
    const { code, lines, errors } = await demo.ended()
    expect(errors).toBe('')
    const text = lines.join('\n')
    expect(text).toMatch(/not judged: one backend killed: the run ended before it could be/)
    expect(text).toMatch(/0 never settled/)
    expect(text).toMatch(/\+ no invariant broken/)
    expect(code).toBe(0)
    await vi.waitFor(() => expect(processes.filter(isAlive)).toEqual([]), 5_000)
  })

  it('ends in order when nobody reads on', async () => {
    const demo = new Program(['--seconds', '30'])
    await demo.line(/Starting PostgreSQL/)
    demo.stopReading()
    const { code, errors } = await demo.ended()
    expect(errors).toBe('')
    expect(code).toBe(0)
  })

  it('ends in order when nobody reads even its first line', async () => {
    const demo = new Program(['--seconds', '30'])
    demo.stopReading()
    const { code, errors } = await demo.ended()
    expect(errors).toBe('')
    expect(code).toBe(0)
  })
})

await describeOwnPostgres('the demo on a server that goes away', () => {
  it('sums up and closes all of its own when the server is away at the end', async () => {
    await using server = await startPostgres()
    await using endpoint = { ...(await useForeign(server.url)), [Symbol.asyncDispose]: () => endpoint.proxy.close() }
    await using device = await startRouter()
    const demo = new Demo(endpoint, device, Number.POSITIVE_INFINITY, new Journal())
    await demo.start(0)
    const run = demo.run()
    const { api } = demo.snapshot()
    await server.stop('fast')
    demo.quit()
    const outcome = await run
    expect(isGood(outcome)).toBe(false)
    expect(summarise(outcome).map(lineText).join('\n')).toMatch(
      /! not known whether sessions were left at the server, which could not be asked: connect ECONNREFUSED/,
    )
    await expect(fetch(api.url)).rejects.toThrow()
  })
})

await describePostgres('the demo on a server that is there', (url) => {
  it('uses it, plays its restart, and does not show the password', async () => {
    const endpoint = await useForeign(url)
    const { hostname, port, password } = new URL(url)
    expect(endpoint.label).toBe(`${hostname}:${port}`)
    const journal = new Journal()
    await using device = await startRouter()
    const demo = new Demo(endpoint, device, Number.POSITIVE_INFINITY, journal)
    await demo.start(0)
    const run = demo.run()
    demo.ask(FAULTS[4] as (typeof FAULTS)[number])
    await vi.waitFor(() => expect(demo.snapshot().verdicts).toHaveLength(1), 20_000)
    demo.quit()
    const outcome = await run
    await endpoint.close()
    const text = summarise(outcome).map(lineText).join('\n')
    expect(text).toMatch(/\+ healed 5 server restarted: .*\[played by the proxy, which reset all flows and refused connects: .*\]/)
    expect(isGood(outcome)).toBe(true)
    expect(password).not.toBe('')
    expect(text + journal.entries.map((entry) => entry.text).join('\n')).not.toContain(password)
  })

  it('heals when its router reboots, whose sessions are never more than the pool may have', async () => {
    await using endpoint = { ...(await useForeign(url)), [Symbol.asyncDispose]: () => endpoint.proxy.close() }
    await using device = await startRouter()
    const demo = new Demo(endpoint, device, Number.POSITIVE_INFINITY, new Journal())
    await demo.start(0)
    const run = demo.run()
    demo.ask(FAULTS[5] as (typeof FAULTS)[number])
    await vi.waitFor(() => expect(demo.snapshot().verdicts).toHaveLength(1), 20_000)
    demo.quit()
    const outcome = await run
    const text = summarise(outcome).map(lineText).join('\n')
    expect(text).toMatch(/\+ healed 6 router rebooted: .*\[it dropped all sessions and was away for 1 s\]/)
    expect(outcome.commands.issued).toBeGreaterThan(5)
    expect(isGood(outcome)).toBe(true)
    expect(device.mostSessions).toBeLessThanOrEqual(2)
  })

  it('shows its pools to the command and to programs, and is steered by them', async () => {
    await using endpoint = { ...(await useForeign(url)), [Symbol.asyncDispose]: () => endpoint.proxy.close() }
    await using device = await startRouter()
    const demo = new Demo(endpoint, device, Number.POSITIVE_INFINITY, new Journal())
    await demo.start(0)
    demo.togglePause()
    const run = demo.run()
    const { api } = demo.snapshot()
    const status = await cli(['status'], api)
    expect(status.exitCode).toBe(0)
    expect(status.out).toMatch(/^demo +postgres +running +closed +6\/6 .*\nrouter +ssh +running +closed +[12]\/2 /m)
    const top = startCli(['top'], { url: api.url, terminal: { columns: 120, rows: 30 } })
    await vi.waitFor(() => {
      expect(top.out()).toMatch(/^\+ {2}demo-\d+ /m)
      expect(top.out()).toMatch(/^\+ {2}router-\d+ /m)
    }, 10_000)
    top.type('q')
    expect((await top.ended).exitCode).toBe(0)
    expect((await cli(['rebuild', 'demo'], api)).exitCode).toBe(0)
    expect(demo.snapshot().connections.map(({ generation }) => generation)).toEqual([2, 2, 2, 2, 2, 2])
    demo.quit()
    const outcome = await run
    expect(outcome.requests.failed).toBe(0)
    expect(isGood(outcome)).toBe(true)
    await expect(fetch(api.url)).rejects.toThrow()
  })

  it('listens elsewhere when the usual port is taken, and ends with 1 when the one that was asked for is', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const { code, errors } = await new Program(['--seconds', '3', '--port', String(port)], { WELLPOOL_DEMO_POSTGRES_URL: url }).ended()
    expect(code).toBe(1)
    expect(errors).toBe(`--port ${port}: something listens there already\n`)
    const pools = createPools({})
    const [one, other] = [await Api.start(pools, undefined), await Api.start(pools, undefined)]
    expect(one.url).not.toBe(other.url)
    await Promise.all([one.close(), other.close()])
    await pools.close()
  }, 20_000)

  it('says so, and what the application saw, when the pool does not heal', async () => {
    await using endpoint = { ...(await useForeign(url)), [Symbol.asyncDispose]: () => endpoint.proxy.close() }
    // A restart after which nobody comes back.
    const restart = async (): Promise<void> => {
      await endpoint.proxy.refuse()
      endpoint.proxy.inject({ kind: 'reset' }, 'present').heal()
    }
    await using device = await startRouter()
    const demo = new Demo({ ...endpoint, restart }, device, Number.POSITIVE_INFINITY, new Journal())
    await demo.start(0)
    const run = demo.run()
    demo.ask(FAULTS[4] as (typeof FAULTS)[number])
    await vi.waitFor(() => expect(demo.snapshot().verdicts).toHaveLength(1), 20_000)
    demo.quit()
    const outcome = await run
    expect(isGood(outcome)).toBe(false)
    expect(outcome.requests.underWay).toBe(0)
    const text = summarise(outcome).map(lineText).join('\n')
    expect(text).toMatch(/! NOT HEALED 5 server restarted: within 5 s: .* failed \(\d+ x ACQUIRE_TIMEOUT \(down\)\)/)
    expect(text).toMatch(/^0 of 1 fault healed within their bounds\.$/m)
  })

  it('rebuilds all by hand without a request failing', async () => {
    const endpoint = await useForeign(url)
    const journal = new Journal()
    await using device = await startRouter()
    const demo = new Demo(endpoint, device, Number.POSITIVE_INFINITY, journal)
    await demo.start(0)
    demo.togglePause()
    const run = demo.run()
    demo.rebuildAll()
    await vi.waitFor(
      () => expect(journal.entries.map(({ text }) => text)).toContainEqual(expect.stringMatching(/^6 of 6 rebuilt by hand in /)),
      10_000,
    )
    expect(demo.snapshot().connections.map(({ generation }) => generation)).toEqual([2, 2, 2, 2, 2, 2])
    expect(demo.snapshot().stage).toMatchObject({ name: 'paused' })
    demo.quit()
    const outcome = await run
    await endpoint.close()
    expect(outcome.requests.failed).toBe(0)
    expect(isGood(outcome)).toBe(true)
  })
})

it('ends with 1 when there is no server, and does not show the password', async () => {
  const demo = new Program(['--seconds', '3'], { WELLPOOL_DEMO_POSTGRES_URL: 'postgres://somebody:secret-word@127.0.0.1:1/none' })
  const { code, lines, errors } = await demo.ended()
  expect(code).toBe(1)
  expect(errors).toBe('PostgreSQL, 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1\n')
  expect(lines.join('\n') + errors).not.toContain('secret-word')
}, 20_000)

it('ends with 2 and says what is allowed when an argument is wrong', async () => {
  const { code, errors } = await new Program(['--seconds', 'many']).ended()
  expect(code).toBe(2)
  expect(errors).toMatch(/^--seconds: got 'many', allowed is a number from 1 to 86400\n\nusage: npm start/)
}, 20_000)
