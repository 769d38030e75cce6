import type { Connection } from 'mysql2/promise'
import { ApiProblem } from '../api/problem.ts'
import { allowsStatement } from './allow.ts'
import type { Execution, Executor } from './executor.ts'
import { statementMisfit } from './misfits.ts'
import { overConnection } from './over-connection.ts'
import { RowLimit } from './rows.ts'

/** What mysql2's connection beneath the promises emits for one statement. */
interface Statement {
  on(event: 'fields', listener: (fields: readonly Field[] | undefined) => void): Statement
  on(event: 'result', listener: (row: unknown[] | { affectedRows: number }) => void): Statement
  on(event: 'error', listener: (error: Error) => void): Statement
  on(event: 'end', listener: () => void): Statement
}

interface Field {
  readonly name: string
  readonly columnType?: number
  readonly type?: number
}

interface CallbackConnection {
  query(options: object, values: readonly unknown[]): Statement
  execute(options: object, values: readonly unknown[]): Statement
}

/**
 * What changes nothing by itself, or is refused by the server in a transaction for reading only. Others are not: a
 * `drop` ends the transaction and is done, and so is what stands in a comment that is no comment to the server.
 */
const READS = /^(?:\(\s*)*(?:select|show|describe|desc|explain|with|table|values|help)\b/i

/**
 * Statements on MySQL and MariaDB. With parameters they are prepared, and the server puts the values in. Where changes
 * are refused it runs in a transaction in which the server itself refuses them, and which is rolled back.
 */
export const executor: Executor = {
  misfit: statementMisfit,
  allows: ({ allow }, { statement = '' }) => allowsStatement(allow, statement),
  timedOut: (error) => [1969, 3024].includes((error as { errno?: number }).errno ?? 0),
  run: (pool, execution) =>
    overConnection<Connection>(pool, execution, async (client) => {
      const { readOnly, maxRows } = execution.rules
      if (readOnly && !READS.test((execution.request.statement ?? '').trim())) {
        throw new ApiProblem('EXECUTE_REFUSED', 'this pool is for reading only: select, show, describe, explain, with, table, values, help')
      }
      // A statement that says itself how many rows it wants gets them, and what is over is let go as it comes.
      await client.query('set session sql_select_limit = ?', [maxRows + 1])
      if (readOnly) await client.query('start transaction read only')
      try {
        return await read(client, execution)
      } finally {
        if (!execution.signal.aborted) {
          if (readOnly) await client.query('rollback')
          await client.query('set session sql_select_limit = default')
        }
      }
    }),
}

function read(client: Connection, { request, rules }: Execution) {
  const { statement: sql = '', parameters = [] } = request
  const limit = new RowLimit(rules.maxRows, rules.maxOutput)
  const { connection } = client as unknown as { connection: CallbackConnection }
  const options = { sql, rowsAsArray: true }
  let columns: { name: string; type: string }[] = []
  let affected: number | undefined
  let more = true
  return new Promise<ReturnType<typeof done>>((resolve, reject) => {
    const statement = parameters.length > 0 ? connection.execute(options, parameters) : connection.query(options, [])
    statement
      .on('fields', (fields = []) => {
        columns = fields.map(({ name, columnType, type }) => ({ name, type: String(columnType ?? type ?? '') }))
      })
      .on('result', (row) => {
        if (!Array.isArray(row)) affected = row.affectedRows
        else if (more) more = limit.take([row])
      })
      .on('error', reject)
      .on('end', () => resolve(done()))
  })

  function done() {
    const { rows, truncated } = limit
    return { kind: 'rows' as const, truncated, columns, rows, rowCount: affected ?? rows.length }
  }
}
