import { describe, expect, test } from 'vitest'
import { allowsCommandLine, allowsStatement, allowsWords } from '../../src/execute/allow.ts'
import { RowLimit, toJsonValue } from '../../src/execute/rows.ts'

describe('statements', () => {
  const allow = ['select * from orders where id = $1', "select 'a  b' from t -- note", 'select count(*)\nfrom orders']

  test.each([
    'select * from orders where id = $1',
    '  select * from orders\n where id = $1 ; ',
    'select count(*) from orders',
    "select 'a  b' from t -- note",
  ])('%j is one of those that are allowed', (statement) => {
    expect(allowsStatement(allow, statement)).toBe(true)
  })

  test.each([
    'select * from orders where id = 1',
    'select secret from orders where id = $1',
    'select * from orders where id = $1; drop table orders',
    'select * from orders where id = $1 -- x',
    "select 'a b' from t -- note",
    "select 'a  b' from t -- note\n, u",
    'SELECT * FROM orders WHERE id = $1',
    '*',
    '',
  ])('%j is none of them', (statement) => {
    expect(allowsStatement(allow, statement)).toBe(false)
  })

  test('all are allowed by a lone star', () => {
    expect(allowsStatement(['*'], 'drop table orders')).toBe(true)
  })
})

describe('command lines', () => {
  const allow = ['show version', 'show interface *', 'ping * count 5']

  test.each(['show version', 'show interface GigabitEthernet0/1', 'show interface ', 'ping 10.0.0.1 count 5'])(
    '%j is allowed',
    (command) => {
      expect(allowsCommandLine(allow, command)).toBe(true)
    },
  )

  test.each([
    'show versions',
    ' show version',
    'Show version',
    'show interface x; reload',
    'show interface x\nreload',
    'show interface x\rreload',
    'show interface x | redirect flash:y',
    'show interface x && reload',
    'show interface $(reload)',
    'show interface `reload`',
    'show interface x > y',
    'show interface "x"',
    'show interface \\',
    'ping x count 5 count 5; y',
    'reload',
    '',
  ])('%j is not', (command) => {
    expect(allowsCommandLine(allow, command)).toBe(false)
  })
})

describe('commands of words', () => {
  const allow = ['GET user:*', 'HGETALL *', 'INFO', 'MGET session:* *']

  test.each([
    [['GET', 'user:1']],
    [['get', 'user:1 ; DEL x']],
    [['HGETALL']],
    [['HGETALL', 'a', 'b']],
    [['info']],
    [['MGET', 'session:1', 'x']],
  ])('%j is allowed', (words) => {
    expect(allowsWords(allow, words)).toBe(true)
  })

  test.each([
    [['GET', 'users']],
    [['GET', 'User:1']],
    [['GET', 'user:1', 'x']],
    [['INFO', 'all']],
    [['DEL', 'user:1']],
    [['MGET', 'x', 'session:1']],
    [[]],
  ])('%j is not', (words) => {
    expect(allowsWords(allow, words)).toBe(false)
  })
})

describe('rows', () => {
  test('are as many as fit, and say that there were more', () => {
    const byCount = new RowLimit(3, 1000)
    expect([byCount.wanted, byCount.take([[1], [2]]), byCount.wanted, byCount.take([[3], [4]])]).toEqual([4, true, 2, false])
    expect([byCount.rows, byCount.truncated]).toEqual([[[1], [2], [3]], true])
    const bySize = new RowLimit(100, 20)
    expect([bySize.take([['x'.repeat(10)], ['y'.repeat(10)]]), bySize.rows.length, bySize.truncated]).toEqual([false, 1, true])
    const whole = new RowLimit(2, 1000)
    expect([whole.take([[1], [2]]), whole.truncated]).toEqual([true, false])
  })

  test('hold values as JSON can hold them', () => {
    const values = [1n, Number.NaN, Buffer.from('a'), new Map([['k', [2n]]]), new Set([1]), null, 'x', { a: Buffer.from('b') }]
    expect(values.map(toJsonValue)).toEqual(['1', 'NaN', 'YQ==', { k: ['2'] }, [1], null, 'x', { a: 'Yg==' }])
  })
})
