import { setTimeout as delay } from 'node:timers/promises'
import mysql, { type RowDataPacket } from 'mysql2/promise'
import pg from 'pg'

/** A session with a database that goes past the proxy. */
export interface Admin {
  query(sql: string): Promise<unknown>
  /** Has the server end every other session with this database, and waits until it has. @returns how many there were */
  endSessions(): Promise<number>
  close(): Promise<void>
}

export function openAdmin(url: string): Promise<Admin> {
  return new URL(url).protocol === 'mysql:' ? openMysql(url) : openPostgres(url)
}

async function openPostgres(url: string): Promise<Admin> {
  const client = new pg.Client(url)
  await client.connect()
  const others = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
  return {
    query: (sql) => client.query(sql),
    async endSessions() {
      const { rowCount } = await client.query(`select pg_terminate_backend(pid) ${others}`)
      while ((await client.query(`select ${others}`)).rowCount !== 0) await delay(5)
      return rowCount ?? 0
    },
    close: () => client.end(),
  }
}

async function openMysql(url: string): Promise<Admin> {
  const connection = await mysql.createConnection(url)
  const others = async (): Promise<number[]> => {
    const [rows] = await connection.query<(RowDataPacket & { id: number })[]>(
      'select id from information_schema.processlist where db = database() and id <> connection_id()',
    )
    return rows.map(({ id }) => id)
  }
  return {
    query: (sql) => connection.query(sql),
    async endSessions() {
      const ids = await others()
      // One that has ended by itself meanwhile is none to end.
      for (const id of ids) await connection.query(`kill ${id}`).catch(() => {})
      while ((await others()).length > 0) await delay(5)
      return ids.length
    },
    close: () => connection.end(),
  }
}
