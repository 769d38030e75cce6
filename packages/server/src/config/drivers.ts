/** How the agent comes by a driver. */
export interface DriverEntry {
  /** The package with the client library, which is installed beside Wellpool; undefined if the driver needs none. */
  readonly client?: string
  /** The interface of its options, from which the schema of files is made. */
  readonly options: string
  /** The option that may be given alone, as a text: `postgres: ${DATABASE_URL}`. */
  readonly address?: string
  /** Makes a driver. What it may be given is the driver's to say. */
  readonly load: () => Promise<(options: never) => unknown>
}

/** Every protocol that may stand in a file. A driver that is loaded loads its client library, so it waits until it is needed. */
export const DRIVERS = {
  postgres: {
    client: 'pg',
    options: 'PostgresOptions',
    address: 'connectionString',
    load: async () => (await import('wellpool/postgres')).postgres,
  },
} as const satisfies Record<string, DriverEntry>

/** The protocols' names. */
export const PROTOCOLS: readonly string[] = Object.keys(DRIVERS)

/** @returns undefined for a protocol that there is not */
export function driverEntry(protocol: string): DriverEntry | undefined {
  return Object.hasOwn(DRIVERS, protocol) ? (DRIVERS as Record<string, DriverEntry>)[protocol] : undefined
}
