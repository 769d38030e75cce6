import { inFileNames, toSnakeCase } from '../config/names.ts'
import type { InterfaceReader, Member } from './interface-reader.ts'

/** A JSON schema. */
export type Schema = Readonly<Record<string, unknown>>

/** A number or a text with a unit; `${…}` may stand for any value. */
export const DURATION = {
  type: ['string', 'number'],
  pattern: '^\\s*(?:0|infinity|Infinity|(?:\\d+(?:\\.\\d+)?(?:ms|s|m|h|d))+|.*\\$\\{.*)\\s*$',
} as const
const REFERENCE_PATTERN = '\\$\\{'

/**
 * The schema of an interface's members, by the names that they have in files. What can't stand in a file (a function,
 * a buffer) is left out.
 */
export function propertiesOf(
  members: readonly Member[],
  reader: InterfaceReader,
  known: ReadonlySet<string>,
  within: readonly string[] = [],
): Record<string, Schema> {
  const properties: Record<string, Schema> = {}
  for (const { name, comment, type } of members) {
    const schema = schemaOf(type, { reader, known, within })
    if (schema === undefined) continue
    const description = inFileNames(
      comment.replaceAll(/\{@link (\w+)(?:\.(\w+))?\}/g, (_, owner: string, member?: string) => member ?? owner),
      known,
    )
    properties[toSnakeCase(name)] = { ...schema, ...(description !== '' && { description }) }
  }
  return properties
}

/** What types are looked up in. */
interface Lookup {
  readonly reader: InterfaceReader
  readonly known: ReadonlySet<string>
  /** The interfaces around: one that contains itself is not followed for ever. */
  readonly within: readonly string[]
}

/** @returns undefined for what can't stand in a file */
function schemaOf(type: string, lookup: Lookup): Schema | undefined {
  const parts = splitUnion(type).filter((part) => part !== 'undefined')
  const literals = parts.filter((part) => /^'.*'$/.test(part)).map((part) => part.slice(1, -1))
  const schemas = parts
    .filter((part) => !/^'.*'$/.test(part))
    .map((part) => partSchema(part, lookup))
    .filter((schema) => schema !== undefined)
  if (literals.length > 0) schemas.push({ anyOf: [{ enum: literals }, { type: 'string', pattern: REFERENCE_PATTERN }] })
  const unique = [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()]
  if (unique.length === 0) return undefined
  return unique.length === 1 ? unique[0] : { anyOf: unique }
}

function partSchema(part: string, lookup: Lookup): Schema | undefined {
  switch (part) {
    case 'string':
      return { type: 'string' }
    case 'number':
      return { type: ['number', 'string'], pattern: `^(?:infinity|Infinity|.*${REFERENCE_PATTERN}.*)$` }
    case 'boolean':
    case 'true':
    case 'false':
      return { type: ['boolean', 'string'], pattern: REFERENCE_PATTERN }
    case 'Duration':
      return DURATION
    case 'Password':
      return { type: 'string' }
  }
  if (part.includes('=>') || part === 'Buffer' || part === 'Uint8Array') return undefined
  if (part.startsWith('`')) return { type: 'string' }
  const list = /^(?:readonly )?(.+)\[\]$/.exec(part)?.[1]
  if (list !== undefined) {
    const items = schemaOf(list.replace(/^\((.*)\)$/, '$1'), lookup)
    return items === undefined ? undefined : { type: 'array', items }
  }
  if (part.startsWith('{')) return { type: 'object' }
  return namedSchema(part.replace(/<.*$/s, ''), lookup)
}

function namedSchema(name: string, { reader, known, within }: Lookup): Schema | undefined {
  const members = within.includes(name) ? undefined : reader.interface(name)
  if (members !== undefined) {
    return { type: 'object', properties: propertiesOf(members, reader, known, [...within, name]), additionalProperties: false }
  }
  const alias = reader.alias(name)
  // The keys of an object: it is not read, so that any text will do.
  if (alias?.startsWith('keyof ') === true) return { type: 'string' }
  if (alias !== undefined && !/^(?:Pick|Omit|Record)</.test(alias) && alias !== 'object') return schemaOf(alias, { reader, known, within })
  // What another package declares: it knows its own names.
  return { type: 'object' }
}

/** The parts of a union; those within brackets are one part. */
export function splitUnion(type: string): string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const [index, character] of [...type].entries()) {
    if ('(<[{'.includes(character)) depth++
    // The sign of a function's arrow closes nothing.
    if (')]}'.includes(character) || (character === '>' && type[index - 1] !== '=')) depth--
    if (character === '|' && depth === 0) {
      parts.push(part)
      part = ''
    } else {
      part += character
    }
  }
  return [...parts, part]
    .map((text) => text.trim())
    .map((text) => (/^\(.*\)$/.test(text) && text.includes('=>') ? text.slice(1, -1) : text))
    .filter((text) => text !== '')
}
