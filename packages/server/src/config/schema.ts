import { readFileSync } from 'node:fs'

/** What the loader needs to know of a schema. */
export interface SchemaNode {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly definitions?: Readonly<Record<string, SchemaNode>>
  /** Names that code may give and no file can hold: functions, and objects that are made of them. */
  readonly onlyInCode?: readonly string[]
}

/** The schema of configuration files, which is generated from the code: `npm run generate`. */
export const CONFIG_SCHEMA = JSON.parse(readFileSync(new URL('../../wellpool.schema.json', import.meta.url), 'utf8')) as SchemaNode

/** The names that may stand at the top of a file. */
export const ROOT_NAMES: readonly string[] = Object.keys(CONFIG_SCHEMA.properties ?? {})

/** What may stand at the top and is no option of pools. */
const SECTIONS = ['server', 'log', 'drain_timeout', 'pools']

/** The options of pools, by their names in files. */
export const POOL_OPTIONS: Readonly<Record<string, SchemaNode>> = Object.fromEntries(
  Object.entries(CONFIG_SCHEMA.properties ?? {}).filter(([name]) => !SECTIONS.includes(name)),
)

/** The names that may stand in a pool. */
export const POOL_NAMES: readonly string[] = Object.keys(CONFIG_SCHEMA.definitions?.pool?.properties ?? {})

/** The options of pools that no file can hold, by the names that they would have there. */
export const POOL_ONLY_IN_CODE: readonly string[] = CONFIG_SCHEMA.onlyInCode ?? []

/** The options of a driver. */
export function driverSchema(protocol: string): SchemaNode {
  return CONFIG_SCHEMA.definitions?.[protocol] ?? {}
}

/** Whether a value of this kind may stand there. */
export function takes(schema: SchemaNode | undefined, type: string): boolean {
  if (schema === undefined) return false
  if (schema.anyOf?.some((part) => takes(part, type)) === true) return true
  return Array.isArray(schema.type) ? schema.type.includes(type) : schema.type === type
}

/** The schema of a property, if it is known. */
export function propertyOf(schema: SchemaNode | undefined, name: string): SchemaNode | undefined {
  return schema?.properties?.[name] ?? schema?.anyOf?.map((part) => propertyOf(part, name)).find((found) => found !== undefined)
}
