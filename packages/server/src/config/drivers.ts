import { loadGrpc, loadTcp } from './file-drivers.ts'

/** How the agent comes by a driver. */
export interface DriverEntry {
  /** The package with the client library, which is installed beside Wellpool; absent if the driver needs none. */
  readonly client?: string
  /** The interface of its options, from which the schema of files is made. */
  readonly options: string
  /** The option that may be given alone, as a text: `postgres: ${DATABASE_URL}`. */
  readonly address?: string
  /** Makes what makes a driver. It loads the client library, so it waits until it is needed. */
  readonly load: () => Promise<(options: never) => unknown>
}

/** Every protocol that may stand in a file. */
export const DRIVERS: Readonly<Record<string, DriverEntry>> = {
  amqp: { client: 'amqplib', options: 'AmqpOptions', address: 'url', load: async () => (await import('wellpool/amqp')).amqp },
  grpc: { client: '@grpc/grpc-js', options: 'GrpcFileOptions', address: 'address', load: loadGrpc },
  http2: { options: 'Http2Options', address: 'url', load: async () => (await import('wellpool/http2')).http2 },
  mysql: { client: 'mysql2', options: 'MysqlOptions', address: 'uri', load: async () => (await import('wellpool/mysql')).mysql },
  postgres: {
    client: 'pg',
    options: 'PostgresOptions',
    address: 'connectionString',
    load: async () => (await import('wellpool/postgres')).postgres,
  },
  redis: { client: 'redis', options: 'RedisOptions', address: 'url', load: async () => (await import('wellpool/redis')).redis },
  ssh: { client: 'ssh2', options: 'SshOptions', load: async () => (await import('wellpool/ssh')).ssh },
  tcp: { options: 'TcpFileOptions', load: loadTcp },
}

/** Drivers that are made of functions, which no file can hold. */
export const ONLY_IN_CODE: readonly string[] = ['factory']

/** The protocols' names. */
export const PROTOCOLS: readonly string[] = Object.keys(DRIVERS)

/** @returns undefined for a protocol that there is not */
export function driverEntry(protocol: string): DriverEntry | undefined {
  return Object.hasOwn(DRIVERS, protocol) ? DRIVERS[protocol] : undefined
}
