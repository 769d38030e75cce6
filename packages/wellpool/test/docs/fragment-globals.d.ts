/** What the fragments in the documentation may use without saying where it comes from. */

declare const db: import('wellpool').Pool<import('pg').Client>
declare const pool: import('wellpool').Pool<import('pg').Client>
declare const driver: import('wellpool').Driver<import('pg').Client>
declare const pools: import('wellpool').Pools & { readonly orders: typeof db; readonly billing: typeof db }
declare const connectionString: string
declare const signal: AbortSignal
