import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { OPTION_NAMES } from 'wellpool'
import { parse } from 'yaml'
import { toSnakeCase } from '../../src/config/names.ts'
import { driverSchema, POOL_ONLY_IN_CODE, POOL_OPTIONS } from '../../src/config/schema.ts'
import { createConfigSchema } from '../../src/generate/config-schema.ts'
import { splitUnion } from '../../src/generate/type-schema.ts'

const validate = new Ajv({ allErrors: true, strict: false, allowUnionTypes: true }).compile(createConfigSchema())
const accepts = (text: string): boolean => validate(parse(text, { merge: true }))

describe('wellpool.schema.json', () => {
  test('is what the code makes: otherwise run npm run generate', () => {
    const file = readFileSync(new URL('../../wellpool.schema.json', import.meta.url), 'utf8')
    expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(createConfigSchema())))
  })

  test('has every option of a pool that a file can give, and no other', () => {
    const inCode = ['name', ...POOL_ONLY_IN_CODE]
    expect(inCode).toEqual(['name', 'metrics', 'clock', 'random', 'logger'])
    const names = OPTION_NAMES.filter((name) => !inCode.includes(name)).map(toSnakeCase)
    expect(Object.keys(POOL_OPTIONS).sort()).toEqual(names.sort())
  })

  test('says of every option what it does', () => {
    const silent = Object.entries({ ...POOL_OPTIONS }).filter(([, schema]) => !('description' in schema))
    expect(silent).toEqual([])
  })

  test('has the options of a driver that can stand in a file, and not its functions', () => {
    const names = Object.keys(driverSchema('postgres').properties ?? {})
    expect(names).toEqual(expect.arrayContaining(['connection_string', 'host', 'password', 'statement_timeout', 'discard_all']))
    expect(names).not.toContain('on_connect')
  })

  test.each([
    'pools: { a: { postgres: postgres://db/x } }',
    'pools: { a: { amqp: amqps://rabbit/orders }, b: { amqp: { host: rabbit, heartbeat: 5s, tls: true, connection_name: shop } } }',
    'pools: { a: { postgres: { host: db, port: 5432, ssl: true, statement_timeout: 10s } , max_connections: 5 } }',
    'max_uses: infinity\nidle_timeout: 0\nhealth_check_interval: 1h30m\nbackoff: { base: 20ms }',
    'max_connections: ${MAX}\nfail_fast: ${FAST:-true}\nidle_order: ${ORDER}\nidle_timeout: ${IDLE}',
    'server: { host: 0.0.0.0, port: 80, tls: { cert_file: a, key_file: b } }\nlog: { level: debug }',
    'pools: { a: { postgres: {}, execute: { allow: ["select 1"], read_only: false, timeout: 5s } } }',
  ])('accepts %s', (text) => {
    expect(accepts(text), JSON.stringify(validate.errors)).toBe(true)
  })

  test.each([
    'max_conections: 5',
    'max_connections: five',
    'fail_fast: maybe',
    'idle_order: random',
    'idle_timeout: soon',
    'pools: { a: { max_connections: 5 } }',
    'pools: { a: { postgres: { prot: 5 } } }',
    'pools: { a: { amqp: { prot: 5 } } }',
    'pools: { a: { factory: {} } }',
    'server: { port: x }',
    'pools: { a: { postgres: {}, execute: {} } }',
  ])('refuses %s', (text) => {
    expect(accepts(text)).toBe(false)
  })
})

describe('splitUnion', () => {
  test.each([
    ['string | undefined', ['string', 'undefined']],
    ["'lifo' | 'fifo'", ["'lifo'", "'fifo'"]],
    ['string | ((a: A | B) => string | Promise<string>) | undefined', ['string', '(a: A | B) => string | Promise<string>', 'undefined']],
    ['readonly (string | number)[]', ['readonly (string | number)[]']],
    ['Map<string | number, X> | true', ['Map<string | number, X>', 'true']],
  ])('of %s', (type, parts) => {
    expect(splitUnion(type)).toEqual(parts)
  })
})
