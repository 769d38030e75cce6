import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPools } from 'wellpool'
import { ONLY_IN_CODE, PROTOCOLS } from '../../src/config/drivers.ts'
import { type AgentConfig, ConfigFileError, loadConfig, parseConfig } from '../../src/config/index.ts'

const parse = (text: string, env: Record<string, string> = {}): Promise<AgentConfig> => parseConfig(text, 'wellpool.yaml', { env })

/** The problems of a text, as `line:column path: given`, and the whole message. */
async function problemsOf(text: string, env: Record<string, string> = {}): Promise<{ list: string[]; message: string }> {
  try {
    await parse(text, env)
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error
    return { list: error.problems.map(({ line, column, path: at, given }) => `${line}:${column} ${at}: ${given}`), message: error.message }
  }
  throw new Error('the text was not refused')
}

const minimal = 'pools:\n  orders:\n    postgres: { host: db }\n'

describe('loadConfig', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'wellpool-config-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('reads YAML: options for all, options of each pool, and the driver', async () => {
    const file = path.join(folder, 'wellpool.yaml')
    await writeFile(
      file,
      `
health_check_interval: 15s
max_connections: 20
backoff: { base: 20ms, max: 1m }
pools:
  orders:
    postgres: { host: db, port: 5433, user: app, statement_timeout: 10s }
    max_connections: 4
    backoff: { max: 10s }
  billing:
    postgres: postgres://app@db/billing
`,
    )
    const { pools, server, logLevel, drainTimeoutMs } = await loadConfig(file)
    expect([...pools.keys()]).toEqual(['orders', 'billing'])
    expect(pools.get('orders')?.options).toEqual({ healthCheckInterval: '15s', maxConnections: 4, backoff: { base: '20ms', max: '10s' } })
    expect(pools.get('billing')?.options).toMatchObject({ maxConnections: 20, backoff: { base: '20ms', max: '1m' } })
    expect(pools.get('orders')?.driver.protocol).toBe('postgres')
    expect(server).toEqual({
      host: '127.0.0.1',
      port: 7710,
      tls: undefined,
      tokensFile: undefined,
      auditLog: undefined,
      dashboard: true,
      eventHistory: 500,
      maxEventClients: 100,
    })
    expect([logLevel, drainTimeoutMs]).toEqual(['info', 30_000])
  })

  test('reads JSON, indented by tabs or by nothing', async () => {
    const json = { max_connections: 3, pools: { orders: { postgres: { host: 'db' }, max_uses: 'infinity' } } }
    for (const text of [JSON.stringify(json), JSON.stringify(json, null, '\t')]) {
      const { pools } = await parse(text)
      expect(pools.get('orders')?.options).toEqual({ maxConnections: 3, maxUses: Number.POSITIVE_INFINITY })
    }
  })

  test('makes drivers and options that pools take as they are', async () => {
    const { pools } = await parse(`${minimal}    panic_threshold: 0.7\n    leak_detection_threshold: 30s\n    max_error_rate: infinity\n`)
    const set = createPools({})
    for (const { name, driver, options } of pools.values()) set.add(name, driver, options)
    expect(set.get('orders')?.options).toMatchObject({ panicThreshold: 0.7, maxErrorRate: Number.POSITIVE_INFINITY })
    await set.close()
  })

  test.each([
    ['smart_rebuild_enabled', 'false', { smartRebuildEnabled: false }],
    ['health_check_trigger_rebuild', 'false', { healthCheckTriggerRebuild: false }],
    ['unhealthy_threshold', '5', { unhealthyThreshold: 5 }],
    ['degraded_threshold', '2s', { degradedThreshold: '2s' }],
    ['degraded_threshold', '1500', { degradedThreshold: 1500 }],
    ['rebuild_on_degraded', 'true', { rebuildOnDegraded: true }],
    ['rebuild_check_interval', '10m', { rebuildCheckInterval: '10m' }],
    ['rebuild_batch_size', '10', { rebuildBatchSize: 10 }],
    ['rebuild_concurrency', '2', { rebuildConcurrency: 2 }],
  ])('takes %s: %s as it is written, for all pools and for one', async (name, value, options) => {
    const forAll = await parse(`${name}: ${value}\n${minimal}`)
    const forOne = await parse(`${minimal}    ${name}: ${value}\n`)
    for (const { pools } of [forAll, forOne]) expect(pools.get('orders')?.options).toEqual(options)
  })

  test('lets mappings share what they have in common', async () => {
    const { pools } = await parse(
      'pools:\n  a: &common\n    postgres: { host: db }\n    max_connections: 3\n  b:\n    <<: *common\n    max_connections: 4\n',
    )
    expect([...pools.values()].map(({ options }) => options.maxConnections)).toEqual([3, 4])
  })

  test('takes every protocol, with what a file can say of it', async () => {
    const { pools } = await parse(
      `
pools:
  my: { mysql: mysql://me:sesame@db/x, rebuild_batch_size: 2 }
  broker: { amqp: { host: rabbit, vhost: orders, password: sesame, connection_name: shop, max_leases_per_connection: infinity } }
  broker-2: { amqp: "amqps://me:sesame@rabbit/orders?heartbeat=5" }
  cache: { redis: { host: cache, database: "\${DB}", second_opinion: false } }
  router:
    ssh:
      host: router-17
      username: ops
      password: sesame
      host_key: { known_hosts: /etc/ssh/known }
      jump: { host: gate, username: ops, password: open }
      cli: { platform: cisco_iosxe, enable_secret: more }
  api: { http2: https://api.internal:8443 }
  rpc: { grpc: { address: "rpc.internal:50051", tls: true, max_leases_per_connection: infinity } }
  line: { tcp: { protocol: memcached, port: 11211, probe: version, framing: { line: "\\r\\n" } } }
`,
      { DB: '3' },
    )
    expect([...pools.values()].map(({ name, driver: { protocol } }) => [name, protocol])).toEqual([
      ['my', 'mysql'],
      ['broker', 'amqp'],
      ['broker-2', 'amqp'],
      ['cache', 'redis'],
      ['router', 'ssh'],
      ['api', 'http2'],
      ['rpc', 'grpc'],
      ['line', 'memcached'],
    ])
    expect(pools.get('broker')?.driver).toMatchObject({ maxLeasesPerConnection: Number.POSITIVE_INFINITY })
    for (const name of ['broker', 'broker-2']) expect(pools.get(name)?.driver.secrets?.()).toEqual(['sesame'])
    expect(pools.get('router')?.driver.secrets?.()).toEqual(expect.arrayContaining(['sesame', 'open', 'more']))
  })

  test.each([
    ['mysql: { prt: 5 }', 'pools.a.mysql.prt: an unknown option'],
    ['redis: { path: /x, host: y }', 'pools.a.redis.path: a value beside host or port'],
    ['amqp: { hots: x }', 'pools.a.amqp.hots: an unknown option'],
    ['amqp: { heartbeat: 500ms }', "pools.a.amqp.heartbeat: '500ms'"],
    ['amqp: { url: amqp://rabbit, host: rabbit }', 'pools.a.amqp.host: a value beside url'],
    ['amqp: ftp://x', 'pools.a.amqp: an address that begins with ftp:'],
    ['ssh: { username: ops }', 'pools.a.ssh.host: nothing'],
    ['ssh: { host: a, username: ops, cli: { platform: nokia } }', 'pools.a.ssh.cli.platform'],
    ['ssh: { host: a, username: ops, jump: { host: b } }', 'pools.a.ssh.jump.username: nothing'],
    ['http2: ftp://x', 'pools.a.http2: a text'],
    ['grpc: { tls: true }', 'pools.a.grpc.address: nothing'],
    ['tcp: { port: 1 }', 'pools.a.tcp.probe: nothing'],
    ['ssh: { host: a, username: ops }, execute: { allow: ["*"], read_only: true }', 'pools.a.execute.read_only: true'],
    ['http2: https://x, execute: { allow: ["*"] }', 'pools.a.execute: a section for http2'],
    ['amqp: {}, execute: { allow: ["*"] }', 'pools.a.execute: a section for amqp'],
  ])('says what a driver has against %s', async (pool, problem) => {
    expect((await problemsOf(`pools:\n  a: { ${pool} }\n`)).list.join('\n')).toContain(problem)
  })

  test('takes every driver of the library, or says that it is for code alone', async () => {
    const { exports } = JSON.parse(readFileSync(new URL('../../../wellpool/package.json', import.meta.url), 'utf8'))
    const drivers = Object.entries<{ default?: string }>(exports).filter(([, entry]) => entry.default?.startsWith('./dist/drivers/'))
    expect(drivers.map(([entry]) => entry.slice(2)).sort()).toEqual([...PROTOCOLS, ...ONLY_IN_CODE].sort())
    for (const name of ONLY_IN_CODE) {
      const { list, message } = await problemsOf(`pools:\n  a: { ${name}: {} }\n`)
      expect(list).toEqual([`2:8 pools.a.${name}: a driver that is made of functions`])
      expect(message).toContain(`allowed is ${PROTOCOLS.join(', ')}; pools over ${name} are made in code`)
    }
  })

  test('resolves the names of files from its own folder', async () => {
    const config = await parseConfig(
      'server: { tokens_file: tokens.json, audit_log: /var/log/audit, tls: { cert_file: a, key_file: b } }',
      '/etc/wellpool/wellpool.yaml',
    )
    expect(config.server).toMatchObject({
      tokensFile: '/etc/wellpool/tokens.json',
      auditLog: '/var/log/audit',
      tls: { certFile: '/etc/wellpool/a', keyFile: '/etc/wellpool/b' },
    })
  })
})

describe('references', () => {
  test('stand for variables, defaults and files', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'wellpool-config-'))
    await writeFile(path.join(folder, 'password'), 'sesame\n')
    const text = `
max_connections: \${MAX}
fail_fast: \${FAST:-true}
idle_timeout: \${IDLE:-5m}
pools:
  orders:
    postgres: { host: "\${HOST}.internal", user: "\${USER_NAME:-app}", port: "\${PORT}", password: "\${file:password}" }
`
    const config = await parseConfig(text, path.join(folder, 'wellpool.yaml'), { env: { MAX: '7', HOST: 'db', PORT: '5433', IDLE: '' } })
    expect(config.pools.get('orders')?.options).toEqual({ maxConnections: 7, failFast: true, idleTimeout: '5m' })
    expect(config.pools.get('orders')?.driver.secrets?.()).toEqual(['sesame'])
    await rm(folder, { recursive: true })
  })

  test('stay texts where a text is wanted, and add nothing to the tree', async () => {
    const env = { PASSWORD: '12345', USER_NAME: "x', port: 1, y: '" }
    const { pools } = await parse('pools:\n  orders:\n    postgres: { password: "${PASSWORD}", user: "${USER_NAME}" }\n', env)
    expect(pools.get('orders')?.driver.secrets?.()).toContain('12345')
  })

  test('can be written plainly', async () => {
    const { pools } = await parse('pools:\n  orders:\n    postgres: { password: "$${PASSWORD}" }\n')
    expect(pools.get('orders')?.driver.secrets?.()).toContain('${PASSWORD}')
  })

  test('that lead nowhere are refused with their place', async () => {
    const { list } = await problemsOf(
      'pools:\n  orders:\n    postgres:\n      host: ${NOWHERE}\n      user: ${2BAD}\n      password: ${file:/none}\n',
    )
    expect(list).toEqual([
      "4:7 pools.orders.postgres.host: '${NOWHERE}', which is not set",
      "5:7 pools.orders.postgres.user: '${2BAD}'",
      "6:7 pools.orders.postgres.password: '${file:/none}' (ENOENT)",
    ])
  })

  test('never show what they stand for', async () => {
    const { message } = await problemsOf('max_connections: ${MAX}\npools:\n  orders: { postgres: { port: "${PORT}" } }\n', {
      MAX: 'hunter2',
      PORT: 'sesame',
    })
    expect(message).not.toMatch(/hunter2|sesame/)
    expect(message).toContain("max_connections: got what '${MAX}' stands for, allowed is a whole number from 1")
    expect(message).toContain("pools.orders.postgres.port: got what '${PORT}' stands for, allowed is a whole number from 1 to 65535")
  })
})

describe('a configuration that is wrong', () => {
  test.each([
    ['a second document', 'pools: {}\n---\npools: {}\n', '2:1: got a second document, allowed is one document in a file'],
    [
      'a protocol as a value',
      'pools: { a: { protocol: redis } }',
      'pools.a.protocol: got an unknown option, allowed is redis: and its options',
    ],
    [
      'what another pool calls it',
      'pools: { a: { redis: {}, max: 5 } }',
      'pools.a.max: got an unknown option, allowed is max_connections?',
    ],
    ['a name like none', 'pools: { a: { redis: {}, colour: red } }', 'pools.a.colour: got an unknown option, allowed is one of the'],
    ['no function, where code may give one', 'pools: { a: { postgres: { password: 5 } } }', 'got a number, allowed is a text$'],
  ])('is told in words of a file: %s', async (_, text, words) => {
    await expect(parseConfig(text, 'a.yaml')).rejects.toThrow(new RegExp(words, 'm'))
  })

  test.each([
    ['metrics: prometheus\n', 'metrics'],
    ['logger: pino\n', 'logger'],
    ['pools: { a: { redis: {}, clock: x } }', 'clock'],
    ['pools: { a: { redis: {}, random: 0.5 } }', 'random'],
    ['pools: { a: { postgres: { on_connect: set role x } } }', 'on_connect'],
    ['pools: { a: { redis: { createClient: x } } }', 'create_client'],
    ['pools: { a: { ssh: { host: a, username: b, keyboard_interactive: x } } }', 'keyboard_interactive'],
  ])('says of what code alone can give that it is so: %s', async (text, name) => {
    const { list, message } = await problemsOf(text)
    expect([list.length, message]).toEqual([
      1,
      expect.stringContaining(`got an option that no file can hold, allowed is others; ${name} can be given in code only`),
    ])
  })

  test('names so many problems as anybody mends at a time, and says how many more there are', async () => {
    const pools = Array.from({ length: 500 }, (_, index) => `  p${index}: { redis: {}, max_conections: 5 }`)
    const error = await parseConfig(`pools:\n${pools.join('\n')}\n`, 'a.yaml').catch((reason: unknown) => reason as ConfigFileError)
    if (!(error instanceof ConfigFileError)) throw new Error('it was taken')
    expect(error.problems).toHaveLength(100)
    expect(error.message).toMatch(/^500 problems:\n {2}a.yaml:2:\d+: [\s\S]*\n {2}and 400 more$/)
  })

  test('is not looked through for each name that it has', { timeout: 20_000 }, async () => {
    const names = Array.from({ length: 60_000 }, (_, index) => `n${index}: 1\n`)
    const { message } = await problemsOf(`${names.join('')}n7: 2\n`)
    expect(message).toMatch(/^wellpool.yaml:60001:1: got what is not YAML: Map keys must be unique/)
    const many = await problemsOf('a: 1\n'.repeat(201))
    expect(many.message).toMatch(/^200 problems:\n {2}wellpool.yaml:2:1: [\s\S]*\n {2}and 100 more$/)
  })

  test.each([
    [path.resolve('ops/wellpool.yaml'), path.join('ops', 'wellpool.yaml')],
    ['ops/wellpool.yaml', path.join('ops', 'wellpool.yaml')],
    ['/etc/wellpool/wellpool.yaml', '/etc/wellpool/wellpool.yaml'],
  ])('that is called %s is named as briefly as can be', async (file, name) => {
    await expect(parseConfig('pool: {}', file)).rejects.toThrow(new RegExp(`^${name}:1:1: `))
  })

  test('is refused with everything that is, each with its line and column and the nearest right name', async () => {
    const text = `max_conections: 5
rebuild_batch_size: 0
server: { hots: x, port: 99999, tls: { cert_file: a } }
log: { level: loud }
pools:
  orders:
    postgres:
      pasword: x
      statement_timeout: soon
    min_connections: 20
  then: { postgres: {} }
  two: { postgres: {}, redis: {} }
  none: { max_uses: infinity }
  five: 5
`
    const { list, message } = await problemsOf(text)
    expect(list).toEqual([
      '1:1 max_conections: an unknown option',
      '2:1 rebuild_batch_size: 0',
      '3:11 server.hots: an unknown option',
      '3:20 server.port: 99999',
      '3:33 server.tls.key_file: nothing',
      "4:8 log.level: 'loud'",
      '8:7 pools.orders.postgres.pasword: an unknown option',
      "9:7 pools.orders.postgres.statement_timeout: 'soon'",
      '10:5 pools.orders.min_connections: 20',
      '11:3 pools.then: the name of a member of the set',
      '12:3 pools.two: postgres and redis',
      '13:3 pools.none: no protocol',
      '14:3 pools.five: 5',
    ])
    expect(message).toContain('wellpool.yaml:1:1: max_conections: got an unknown option, allowed is max_connections?')
    expect(message).toContain('pools.orders.postgres.pasword: got an unknown option, allowed is password?')
    expect(message).toContain('pools.orders.min_connections: got 20, allowed is at most max_connections (10)')
    expect(message).toContain('wellpool.yaml:2:1: rebuild_batch_size: got 0, allowed is a whole number from 1 or infinity')
  })

  test.each([
    ['pools:\n  a: {\n', '', /not YAML/],
    ['a: 1\na: 2\n', '2:1', /not YAML: Map keys must be unique/],
    ['pools:\n  a: { redis: {}, x: 1,\n    "redis": {} }\n', '3:5', /not YAML: Map keys must be unique/],
    ['a: 1\na: {\n', '', /^2 problems:\n.*:2:1: .*unique.*\n.*:3:1: .*indented/],
    ['- pools\n', '1:1 : a list', /a mapping with pools/],
    ['', '1:1 : nothing', /a mapping with pools/],
    ['pools: [a]\n', '1:1 pools: a list', /a mapping with pools by name/],
    ['drain_timeout: soon\n', "1:1 drain_timeout: 'soon'", /a duration/],
    ['name: x\n', '1:1 name: an unknown option', /allowed is/],
    ['maxConnections: 5\n', '1:1 maxConnections: an unknown option', /max_connections\?/],
    ['backoff: { base: 1s, max: 10ms }\n', '1:22 backoff.max: 10', /at least backoff.base/],
    ['rebuild_strategy: max_uses\n', "1:1 rebuild_strategy: 'max_uses'", /a limit that is enabled/],
    ['pools:\n  a: { postgres: 5 }\n', '2:8 pools.a.postgres: 5', /a mapping with options of the driver/],
    ['pools:\n  a: { postgres: { port: x } }\n', "2:20 pools.a.postgres.port: 'x'", /1 to 65535/],
    ['pools:\n  a: { postgres: {}, execute: { alow: [] } }\n', '2:33 pools.a.execute.alow: an unknown option', /allow\?/],
    ['pools:\n  a: { postgres: {}, execute: { allow: [select 1], timeout: 0 } }\n', 'pools.a.execute.timeout: 0', /from 1 ms/],
    [
      'pools:\n  a: { postgres: { host: a, connection_string: postgres://b/c } }\n',
      'pools.a.postgres.host: a value beside connection_string',
      /one of the two/,
    ],
    ['pools: &a { b: &b [*c] }\n', '', /not YAML/],
  ])('%j is refused', async (text, at, message) => {
    const problems = await problemsOf(text)
    expect(problems.list.join('\n')).toContain(at)
    expect(problems.message).toMatch(message)
  })

  test('does not blow up by aliases', async () => {
    const bomb = `a0: &a0 [x, x]\n${Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(10).fill(`*a${n}`).join(', ')}]`).join('\n')}\n`
    expect((await problemsOf(bomb)).message).toContain('aliases')
  })
})

describe('what is shown of a configuration', () => {
  test('has its references as they stand, and no secret', async () => {
    const { shown } = await parse(
      `pools:
  a: { postgres: { host: db, password: hunter2, application_name: hunter2-app, ssl: { key: PEM, ca: public } } }
  b: { postgres: "postgres://me:sesame@db/x" }
  c: { postgres: { password: "\${PASSWORD}" } }
`,
      { PASSWORD: 'from-outside' },
    )
    expect(shown).toEqual({
      pools: {
        a: { postgres: { host: 'db', password: '***', application_name: '***-app', ssl: { key: '***', ca: 'public' } } },
        b: { postgres: 'postgres://me:***@db/x' },
        c: { postgres: { password: '${PASSWORD}' } },
      },
    })
  })

  test('tells that a driver has other options, and not which', async () => {
    const one = await parse('pools:\n  a: { postgres: { password: one } }\n')
    const same = await parse('pools:\n  a: { postgres: { password: one }, max_connections: 3 }\n')
    const other = await parse('pools:\n  a: { postgres: { password: two } }\n')
    const fingerprint = ({ pools }: AgentConfig): string | undefined => pools.get('a')?.driverFingerprint
    expect(fingerprint(one)).toBe(fingerprint(same))
    expect(fingerprint(one)).not.toBe(fingerprint(other))
    expect(fingerprint(one)).toMatch(/^[0-9a-f]{64}$/)
  })
})

test.each([
  ['an address in place of a pool', 'pools: { cache: "redis://:s3cr3t@127.0.0.1:6379" }', 'pools.cache', 'a text'],
  [
    'an address as the name of an option',
    'pools: { m: { "postgres://u:s3cr3t@h/x": 1 } }',
    'pools.m.postgres://u:***@h/x',
    'an unknown option',
  ],
  ['an address in place of a number', 'max_connections: "postgres://u:s3/cr3t@h/x"\n', 'max_connections', "'postgres://u:***@h/x'"],
  ['an address in place of a section', 'server: "https://u:s3cr3t@h/x"', 'server', 'a text'],
  ['a file that is for others', 's3cr3t\n', '', 'a text'],
])('shows no password of %s', async (_, text, at, given) => {
  const { list, message } = await problemsOf(text)
  expect(list.some((line) => line.includes(` ${at}: ${given}`))).toBe(true)
  expect(message).not.toMatch(/s3cr3t|cr3t/)
})

test('shows of a long value its beginning, and nothing that steers a terminal', async () => {
  const { message } = await problemsOf(`max_connections: "\\e[2J${'x'.repeat(5000)}"\n`)
  expect(message.length).toBeLessThan(400)
  expect(message).not.toContain('\u001b')
})

test('an alias of what it stands in is refused with its place', async () => {
  const { list } = await problemsOf('pools: &all\n  orders: *all\n')
  expect(list.some((line) => line.includes('pools.orders: an alias of what it stands in'))).toBe(true)
})

test.each([
  ['/none/wellpool.yaml', 'no such file'],
  [tmpdir(), 'a folder'],
])('a file that can’t be read is a wrong file: %s', async (file, given) => {
  await expect(loadConfig(file)).rejects.toMatchObject({ name: 'ConfigFileError', problems: [{ given }] })
})
