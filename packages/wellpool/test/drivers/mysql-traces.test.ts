import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { type MysqlCommand, type MysqlOk, type MysqlPacket, MysqlTraces } from '../../src/drivers/mysql-traces.ts'

class Command extends EventEmitter<{ result: [ok: MysqlOk | null, index?: number] }> {
  readonly sql: string
  constructor(sql: string) {
    super()
    this.sql = sql
  }
  execute(_packet: MysqlPacket | undefined): boolean {
    return true
  }
}

const packet = (kind: 'error' | 'end' | 'row', status = 0): MysqlPacket => ({
  isError: () => kind === 'error',
  isEOF: () => kind === 'end',
  eofStatusFlags: () => status,
})

/** The traces of one statement, and of the flags in the server's answer. */
function after(sql: string, serverStatus = 0x0002): MysqlTraces {
  const traces = new MysqlTraces()
  const command = new Command(sql)
  traces.see(command as unknown as MysqlCommand)
  command.emit('result', { serverStatus })
  return traces
}

describe('MysqlTraces', () => {
  it.each([
    'select 1',
    'select * from orders where id = 1 for update',
    'insert into t values (1)',
    'update t set v = 1',
    'delete from t',
    'commit',
    'select `handler`, locks from doors',
    'select * from stock into outfile "x"',
    "insert into notes values ('lock tables; get_lock(1); @a := 2')",
    'replace into notes select "with read lock"',
  ])('sees none of %j', (sql) => {
    expect(after(sql)).toMatchObject({ untouched: false, changed: false, inTransaction: false })
  })

  it.each([
    "select get_lock('x', 1)",
    "DO GET_LOCK('x', 1)",
    "select service_get_write_locks('a', 'b', 1)",
    'lock tables t write',
    'LOCK  TABLE t read',
    'lock instance for backup',
    'flush tables with read lock',
    'backup stage start',
    'handler t open',
    'set transaction read only',
    'select 5 into @five',
    'select @row := @row + 1 from t',
    'update t, (select @r := 0) as r set v = 1',
  ])('sees by its text what %j leaves', (sql) => {
    expect(after(sql).changed).toBe(true)
  })

  it('sees what follows a statement that writes rows, where a text may have several', () => {
    const sql = "insert into t values (1); select get_lock('x', 1)"
    for (const multiple of [true, false]) {
      const traces = new MysqlTraces(multiple)
      traces.see(new Command(sql) as unknown as MysqlCommand)
      expect(traces.changed).toBe(multiple)
    }
  })

  it('sees by the server’s answer that the session has changed', () => {
    expect(after('call anything()', 0x4002).changed).toBe(true)
  })

  it('follows a transaction by the server’s answers', () => {
    const traces = after('begin', 0x0003)
    expect(traces).toMatchObject({ inTransaction: true, changed: false })
    const command = new Command('commit')
    traces.see(command as unknown as MysqlCommand)
    command.emit('result', { serverStatus: 0x0002 })
    expect(traces.inTransaction).toBe(false)
  })

  it('follows a transaction by what rows end with', () => {
    const traces = new MysqlTraces()
    for (const [status, inTransaction] of [
      [0x0003, true],
      [0x0002, false],
    ] as const) {
      const command = new Command('select 1')
      traces.see(command as unknown as MysqlCommand)
      for (const part of [undefined, packet('row'), packet('end', status)]) expect(command.execute(part)).toBe(true)
      expect(traces).toMatchObject({ inTransaction, changed: false })
    }
  })

  it.each([
    ['call fails()', 0x4002, { changed: true }],
    ['EXECUTE prepared', 0x4002, { changed: true }],
    ['begin not  atomic start transaction; signal sqlstate "45000"; end', 0x4002, { changed: true }],
    ['insert into t values (1)', 0x4002, { changed: false, inTransaction: false }],
    ['insert into t values (1)', 0x4000, { changed: false, inTransaction: true }],
  ])('expects of %j that fails, where sessions begin with status %i, %o', (sql, serverStatus, left) => {
    const traces = new MysqlTraces()
    traces.learn({ serverStatus })
    const command = new Command(sql)
    traces.see(command as unknown as MysqlCommand)
    command.execute(packet('error'))
    expect(traces).toMatchObject(left)
  })

  it('takes no row for an answer', () => {
    const traces = new MysqlTraces()
    const command = new Command('select serverStatus from servers')
    traces.see(command as unknown as MysqlCommand)
    command.emit('result', { serverStatus: 0x4003 }, 0)
    command.emit('result', null)
    expect(traces).toMatchObject({ changed: false, inTransaction: false })
  })

  it('sees statements that were prepared, and none in commands without a text', () => {
    for (const command of [{ query: "select get_lock('x', 1)" }, { statement: { query: "select get_lock('x', 1)" } }]) {
      const traces = new MysqlTraces()
      traces.see(Object.assign(new EventEmitter(), command) as unknown as MysqlCommand)
      expect(traces.changed).toBe(true)
    }
    const traces = new MysqlTraces()
    traces.see(new EventEmitter() as unknown as MysqlCommand)
    expect(traces.untouched).toBe(true)
  })

  it('expects a change of every statement when the server does not report', () => {
    const mute = new MysqlTraces()
    mute.learn({ serverStatus: 0x0002 })
    mute.see(new Command('select 1') as unknown as MysqlCommand)
    expect(mute.changed).toBe(true)

    const telling = new MysqlTraces()
    telling.learn({ serverStatus: 0x4002 })
    telling.see(new Command('select 1') as unknown as MysqlCommand)
    expect(telling.changed).toBe(false)
  })

  it('is as at the beginning when cleared', () => {
    const traces = after('begin', 0x4003)
    traces.setChanged()
    traces.clear()
    expect(traces).toMatchObject({ untouched: true, changed: false, inTransaction: false })
  })
})
