import { describe, expect, it } from 'vitest'
import { createPool } from 'wellpool'
import { createFakeDriver, FakeClock, fail, hang } from 'wellpool/testing'
import { Journal } from '../src/journal.ts'

describe('Journal', () => {
  it('puts into words why a connection was rebuilt, once, and remembers it', async () => {
    const clock = new FakeClock()
    const driver = createFakeDriver({ clock })
    const pool = createPool(driver, { name: 'demo', clock, minConnections: 1, maxConnections: 1, healthCheckInterval: 0 })
    const journal = new Journal()
    journal.follow(pool as never)
    const started = pool.start()
    await clock.advance(10)
    await started
    const [id] = pool.connections().map((record) => record.id) as [string]
    journal.entries.length = 0
    driver.lose(driver.ledger.clients[0]?.client as never, new Error('reset by the peer'))
    await clock.advance(10)
    expect(journal.entries.map(({ text, style }) => [text, style])).toEqual([
      [`${id} marked, urgent: connection_lost: lost: reset by the peer`, 'bad'],
      [`${id} rebuilt in 5 ms, generation 1 -> 2: connection_lost`, 'good'],
    ])
    expect(journal.reasonOf(id)).toMatchObject({ kind: 'connection_lost', detail: 'lost: reset by the peer' })
    expect(journal.reasonOf('another')).toBeUndefined()
    const closed = pool.close()
    await clock.advance(10)
    await closed
    expect(journal.entries.slice(-2).map(({ text }) => text)).toEqual([`${id} generation 2 closed: pool_closed`, 'pool demo closed'])
    expect(journal.reasonOf(id)).toBeUndefined()
  })

  it('tells of an endpoint that is down by what the system said, not by what is put around it', async () => {
    const clock = new FakeClock()
    const driver = createFakeDriver({ clock })
    driver.always('connect', fail(new Error('connect ECONNREFUSED')))
    const pool = createPool(driver, { name: 'demo', clock, random: () => 0.5, minConnections: 1, maxConnections: 1 })
    const journal = new Journal()
    journal.follow(pool as never)
    const started = pool.start({ timeout: 60 })
    const refused = expect(started).rejects.toMatchObject({ code: 'CONNECT_FAILED' })
    await clock.advance(60)
    await refused
    const texts = journal.entries.map(({ text }) => text)
    expect(texts[0]).toMatch(/^demo-\d+ could not connect, try 1: connect ECONNREFUSED$/)
    expect(texts[1]).toMatch(/^pool demo: breaker open, next try in \d+ ms: connect ECONNREFUSED$/)
    const closed = pool.close()
    await clock.advance(10)
    await closed
  })

  it('says of which pool it tells when it tells of no connection', async () => {
    const clock = new FakeClock()
    const journal = new Journal()
    for (const name of ['demo', 'router']) {
      const pool = createPool(createFakeDriver({ clock }), { name, clock, minConnections: 1 })
      journal.follow(pool as never)
      await clock.until(pool.start())
      pool.pause()
      pool.resume()
      await clock.until(pool.close())
    }
    const ofPools = journal.entries.map(({ text }) => text).filter((text) => text.startsWith('pool '))
    expect(ofPools).toEqual(
      ['demo', 'router'].flatMap((name) => ['warmed up', 'paused', 'resumed', 'closed'].map((what) => `pool ${name} ${what}`)),
    )
  })

  it('keeps a failed check as the reason of its connection', async () => {
    const clock = new FakeClock()
    const driver = createFakeDriver({ clock })
    const pool = createPool(driver, { clock, minConnections: 1, maxConnections: 1, healthCheckInterval: '1s', healthCheckTimeout: '1s' })
    const journal = new Journal()
    journal.follow(pool as never)
    const started = pool.start()
    await clock.advance(10)
    await started
    driver.always('check', hang())
    await clock.advance(3_000)
    const [record] = pool.connections()
    expect(journal.reasonOf(record?.id ?? '')).toMatchObject({ kind: 'check failed' })
    expect(journal.entries.map(({ text }) => text).join('\n')).toMatch(/check failed, 1 in a row: .*time-out after 1000 ms/)
    const closed = pool.close()
    await clock.advance(10_000)
    await closed
  })

  it('counts what is said several times in a row, and keeps so many entries and no more', () => {
    const told: number[] = []
    const journal = new Journal(({ times }) => told.push(times))
    journal.note('again')
    journal.note('again')
    journal.note('other')
    journal.note('again')
    expect(journal.entries.map(({ text, times }) => [text, times])).toEqual([
      ['again', 2],
      ['other', 1],
      ['again', 1],
    ])
    expect(told).toEqual([1, 2, 1, 1])
    for (let number = 0; number < 500; number++) journal.note(`entry ${number}`)
    expect(journal.entries).toHaveLength(200)
    expect(journal.entries.at(-1)?.text).toBe('entry 499')
  })
})
