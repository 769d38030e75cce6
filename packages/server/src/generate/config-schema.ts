import { fileURLToPath } from 'node:url'
import { DRIVERS } from '../config/drivers.ts'
import { toSnakeCase } from '../config/names.ts'
import { drainTimeout, ExecuteSection, LogSection, ServerSection } from '../config/sections.ts'
import { InterfaceReader, type Member } from './interface-reader.ts'
import { propertiesOf, type Schema } from './type-schema.ts'

const library = (folder: string): string => fileURLToPath(new URL(`../../../wellpool/src/${folder}`, import.meta.url))

/** What a file says by the name under `pools`. */
const SAID_BY_PLACE = 'name'
/** Options of a pool that only code can give. */
const ONLY_IN_CODE = ['metrics', 'clock', 'random', 'logger']

/**
 * The schema of configuration files, for editors and for the loader: the options of pools and drivers are read from
 * the interfaces that declare them, with their comments.
 */
export function createConfigSchema(): Schema {
  const engine = new InterfaceReader(library('engine'))
  const drivers = new InterfaceReader(
    library('drivers'),
    library('shared'),
    library('engine'),
    fileURLToPath(new URL('../config', import.meta.url)),
  )
  const poolMembers = membersOf(engine, 'PoolOptions').filter(({ name }) => ![SAID_BY_PLACE, ...ONLY_IN_CODE].includes(name))
  const poolNames = new Set(poolMembers.map(({ name }) => name))
  const poolOptions = propertiesOf(poolMembers, engine, poolNames)

  const definitions: Record<string, Schema> = {}
  const protocols: Record<string, Schema> = {}
  for (const [protocol, entry] of Object.entries(DRIVERS)) {
    const members = membersOf(drivers, entry.options)
    const names = new Set([...members.map(({ name }) => name), ...poolNames])
    const properties = propertiesOf(members, drivers, names)
    const onlyInCode = members.map(({ name }) => toSnakeCase(name)).filter((name) => !Object.hasOwn(properties, name))
    definitions[protocol] = { type: 'object', properties, additionalProperties: false, ...(onlyInCode.length > 0 && { onlyInCode }) }
    const full = { $ref: `#/definitions/${protocol}` }
    protocols[protocol] =
      entry.address === undefined
        ? full
        : { anyOf: [{ type: 'string', description: `The option ${toSnakeCase(entry.address)} alone.` }, full] }
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Wellpool',
    description: 'The pools that an agent holds, and how it is reached. Options of pools at the top are for all pools.',
    type: 'object',
    properties: {
      server: ServerSection,
      log: LogSection,
      drain_timeout: drainTimeout,
      pools: { type: 'object', description: 'The pools by name.', additionalProperties: { $ref: '#/definitions/pool' } },
      ...poolOptions,
    },
    additionalProperties: false,
    onlyInCode: ONLY_IN_CODE,
    definitions: {
      pool: {
        type: 'object',
        description: 'A pool: its protocol, under which are the options of the driver, and options of the pool.',
        properties: { ...protocols, execute: ExecuteSection, ...poolOptions },
        additionalProperties: false,
        oneOf: Object.keys(protocols).map((protocol) => ({ required: [protocol] })),
      },
      ...definitions,
    },
  }
}

function membersOf(reader: InterfaceReader, name: string): Member[] {
  const members = reader.interface(name)
  if (members === undefined || members.length === 0) throw new Error(`no interface ${name} in the sources`)
  return members
}
