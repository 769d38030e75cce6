import type { OpenPool } from './contender.ts'

const POOLS: Readonly<Record<string, () => Promise<{ readonly open: OpenPool }>>> = {
  floor: () => import('./pools/floor.ts'),
  wellpool: () => import('./pools/wellpool.ts'),
  'wellpool use': async () => ({ open: (await import('./pools/wellpool.ts')).openForUse }),
  mysql2: () => import('./pools/mysql2.ts'),
  'mysql2 callbacks': async () => ({ open: (await import('./pools/mysql2.ts')).openForCallbacks }),
  'node-redis': () => import('./pools/node-redis.ts'),
  'pg-pool': () => import('./pools/pg-pool.ts'),
  'lightning-pool': () => import('./pools/lightning-pool.ts'),
  'generic-pool': () => import('./pools/generic-pool.ts'),
  tarn: () => import('./pools/tarn.ts'),
}

/** Loads one contender and nothing else. */
export async function loadPool(name: string): Promise<OpenPool> {
  const load = POOLS[name]
  if (load === undefined) throw new Error(`no pool is called ${name}`)
  return (await load()).open
}

/** The package whose version stands beside a contender in the report; those that are not here are no package. */
export const PACKAGES: Readonly<Record<string, string>> = {
  wellpool: 'wellpool',
  mysql2: 'mysql2',
  'node-redis': '@redis/client',
  'pg-pool': 'pg-pool',
  'lightning-pool': 'lightning-pool',
  'generic-pool': 'generic-pool',
  tarn: 'tarn',
  knex: 'knex',
  'postgres.js': 'postgres',
}
