import type { Knex } from 'knex'
import type { PostgresPool } from 'kysely'
import type pg from 'pg'
import { describe, expectTypeOf, test } from 'vitest'
import type { Pool as WellpoolPool } from 'wellpool'
import { fromFactory } from 'wellpool/factory'
import { createPool } from 'wellpool/generic-pool'
import { Pool as PgPool } from 'wellpool/pg-pool'
import { Pool as TarnPool } from 'wellpool/tarn'

interface Session {
  send(text: string): Promise<string>
}

declare const open: () => Promise<Session>

describe('wellpool/pg-pool', () => {
  test('is a pg.Pool, and what libraries take for one', () => {
    expectTypeOf<PgPool>().toExtend<pg.Pool>()
    expectTypeOf<PgPool>().toExtend<PostgresPool>()
    expectTypeOf<PgPool>().toExtend<Knex.PgPoolLike>()
  })

  test('types rows as they are described, and clients as pg does', async () => {
    const pool = new PgPool({ max: 3, wellpool: { name: 'orders' } })
    expectTypeOf((await pool.query<{ id: number }>('select 1 as id')).rows).toEqualTypeOf<{ id: number }[]>()
    expectTypeOf((await pool.query<[number]>({ text: 'select 1', rowMode: 'array' })).rows).toEqualTypeOf<[number][]>()
    expectTypeOf(await pool.connect()).toEqualTypeOf<pg.PoolClient>()
    expectTypeOf(pool.wellpool).toEqualTypeOf<WellpoolPool<pg.Client>>()
    pool.on('error', (error, client) => [error, client])
    // @ts-expect-error: no such option of the pool underneath
    new PgPool({ wellpool: { maxConections: 3 } })
  })
})

describe('wellpool/generic-pool and wellpool/tarn', () => {
  test('infer the resource from create', async () => {
    const pool = createPool({ create: open, destroy: async () => {} }, { max: 3 })
    expectTypeOf(await pool.acquire()).toEqualTypeOf<Session>()
    expectTypeOf(await pool.use((session) => session.send('hello'))).toEqualTypeOf<string>()
    // @ts-expect-error: no such option
    createPool({ create: open, destroy: async () => {} }, { maximum: 3 })
  })

  test('are what Knex takes for a pool', async () => {
    const pool = new TarnPool<Session>({ create: open, destroy: () => {}, min: 0, max: 3 })
    expectTypeOf(pool).toExtend<Knex.TarnPoolLike>()
    expectTypeOf(await pool.acquire().promise).toEqualTypeOf<Session>()
    pool.on('acquireFail', (eventId, error) => {
      expectTypeOf(eventId).toEqualTypeOf<number>()
      expectTypeOf(error).toEqualTypeOf<Error>()
    })
    // @ts-expect-error: min is missing
    new TarnPool<Session>({ create: open, destroy: () => {}, max: 3 })
  })
})

describe('wellpool/factory', () => {
  test('infers the client from create and gives it to every other function', () => {
    const driver = fromFactory({
      create: ({ signal }) => {
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
        return open()
      },
      destroy: (session) => {
        expectTypeOf(session).toEqualTypeOf<Session>()
      },
      validate: (session) => session.send('ping'),
    })
    expectTypeOf(driver.close).parameter(0).toEqualTypeOf<Session>()
  })
})
