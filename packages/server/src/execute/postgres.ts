import pg from 'pg'
import Cursor from 'pg-cursor'
import { allowsStatement } from './allow.ts'
import type { Execution, Executor } from './executor.ts'
import { statementMisfit } from './misfits.ts'
import { overConnection } from './over-connection.ts'
import { RowLimit } from './rows.ts'

/** The names of types by their ids. */
const TYPES: ReadonlyMap<number, string> = new Map(Object.entries(pg.types.builtins).map(([name, id]) => [Number(id), name.toLowerCase()]))

/** What a cursor learns beside the rows. Its types leave it out. */
interface CursorResult {
  readonly _result: { readonly fields: readonly pg.FieldDef[]; readonly rowCount: number | null }
}

/**
 * Statements on PostgreSQL, one at a time: the extended protocol takes no second one. Where changes are refused it runs
 * in a transaction in which the server itself refuses them, and which is rolled back.
 */
export const executor: Executor = {
  misfit: statementMisfit,
  allows: ({ allow }, { statement = '' }) => allowsStatement(allow, statement),
  timedOut: (error) => (error as { code?: unknown }).code === '57014',
  run: (pool, execution) =>
    overConnection<pg.Client>(pool, execution, async (client) => {
      const { rules, signal, timeoutMs } = execution
      const { readOnly } = rules
      if (readOnly) await client.query('begin transaction read only')
      await client.query(`set ${readOnly ? 'local ' : ''}statement_timeout = ${Math.ceil(timeoutMs)}`)
      try {
        return await read(client, execution)
      } finally {
        if (!signal.aborted) await client.query(readOnly ? 'rollback' : 'reset statement_timeout')
      }
    }),
}

async function read(client: pg.Client, { request, rules, signal }: Execution) {
  const { statement = '', parameters = [] } = request
  const limit = new RowLimit(rules.maxRows, rules.maxOutput)
  const cursor = client.query(new Cursor<unknown[]>(statement, [...parameters], { rowMode: 'array' }))
  for (let more = true; more && !signal.aborted; ) {
    const wanted = limit.wanted
    const rows = await cursor.read(wanted)
    more = limit.take(rows) && rows.length === wanted
  }
  if (!signal.aborted) await cursor.close()
  const { fields, rowCount } = (cursor as unknown as CursorResult)._result
  return {
    kind: 'rows' as const,
    truncated: limit.truncated,
    columns: fields.map(({ name, dataTypeID }) => ({ name, type: TYPES.get(dataTypeID) ?? String(dataTypeID) })),
    rows: limit.rows,
    rowCount: limit.truncated || rowCount === null ? limit.rows.length : rowCount,
  }
}
