import pg from 'pg'
import Cursor from 'pg-cursor'
import { ApiProblem } from '../api/problem.ts'
import { allowsStatement } from './allow.ts'
import type { Execution, Executor } from './executor.ts'
import { statementMisfit } from './misfits.ts'
import { Answered, overConnection } from './over-connection.ts'
import { RowLimit } from './rows.ts'

/** The names of types by their ids. */
const TYPES: ReadonlyMap<number, string> = new Map(Object.entries(pg.types.builtins).map(([name, id]) => [Number(id), name.toLowerCase()]))

/** SQLSTATE read_only_sql_transaction. */
const READ_ONLY = '25006'

/** What a cursor learns beside the rows. Its types leave it out. */
interface CursorResult {
  readonly _result: { readonly fields: readonly pg.FieldDef[]; readonly rowCount: number | null; readonly command: string | null }
}

/**
 * A cursor that gets through a COPY and brings nothing of it. pg calls these two from the socket's handler, whatever a
 * query is made of: where they are missing, a COPY ends the process.
 */
class ReadingCursor extends Cursor<unknown[]> {
  #copies = false

  /** Whether the statement was a COPY. */
  get copies(): boolean {
    return this.#copies || (this as unknown as CursorResult)._result.command === 'COPY'
  }

  handleCopyInResponse(connection: { sendCopyFail(reason: string): void }): void {
    this.#copies = true
    connection.sendCopyFail('nothing is copied over this API')
  }

  handleCopyData(): void {
    this.#copies = true
  }
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
      } catch (error) {
        // The server has refused it because we have told it to: it is the same server as before, and no connection of it is lost.
        throw readOnly && (error as { code?: unknown }).code === READ_ONLY ? new Answered(error) : error
      } finally {
        if (!signal.aborted) await client.query(readOnly ? 'rollback' : 'reset statement_timeout')
      }
    }),
}

async function read(client: pg.Client, { request, rules, signal }: Execution) {
  const { statement = '', parameters = [] } = request
  const limit = new RowLimit(rules.maxRows, rules.maxOutput)
  const cursor = client.query(new ReadingCursor(statement, [...parameters], { rowMode: 'array' }))
  try {
    for (let more = true; more && !signal.aborted; ) {
      const wanted = limit.wanted
      const rows = await cursor.read(wanted)
      more = limit.take(rows) && rows.length === wanted
    }
    if (!signal.aborted) await cursor.close()
  } catch (error) {
    if (!cursor.copies) throw error
  }
  if (cursor.copies) throw new Answered(new ApiProblem('INVALID_REQUEST', 'COPY is not for this API: what it copies is no rows'))
  const { fields, rowCount } = (cursor as unknown as CursorResult)._result
  return {
    kind: 'rows' as const,
    truncated: limit.truncated,
    columns: fields.map(({ name, dataTypeID }) => ({ name, type: TYPES.get(dataTypeID) ?? String(dataTypeID) })),
    rows: limit.rows,
    rowCount: limit.truncated || rowCount === null ? limit.rows.length : rowCount,
  }
}
