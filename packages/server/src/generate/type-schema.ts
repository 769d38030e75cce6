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
export function propertiesOf(members: readonly Member[], reader: InterfaceReader, known: ReadonlySet<string>): Record<string, Schema> {
  const properties: Record<string, Schema> = {}
  for (const { name, comment, type } of members) {
    const schema = schemaOf(type, reader, known)
    if (schema === undefined) continue
    const description = inFileNames(
      comment.replaceAll(/\{@link (\w+)(?:\.(\w+))?\}/g, (_, owner: string, member?: string) => member ?? owner),
      known,
    )
    properties[toSnakeCase(name)] = { ...schema, ...(description !== '' && { description }) }
  }
  return properties
}

/** @returns undefined for what can't stand in a file */
function schemaOf(type: string, reader: InterfaceReader, known: ReadonlySet<string>): Schema | undefined {
  const parts = splitUnion(type).filter((part) => part !== 'undefined')
  const literals = parts.filter((part) => /^'.*'$/.test(part)).map((part) => part.slice(1, -1))
  const schemas = parts
    .filter((part) => !/^'.*'$/.test(part))
    .map((part) => partSchema(part, reader, known))
    .filter((schema) => schema !== undefined)
  if (literals.length > 0) schemas.push({ anyOf: [{ enum: literals }, { type: 'string', pattern: REFERENCE_PATTERN }] })
  const unique = [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()]
  if (unique.length === 0) return undefined
  return unique.length === 1 ? unique[0] : { anyOf: unique }
}

function partSchema(part: string, reader: InterfaceReader, known: ReadonlySet<string>): Schema | undefined {
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
  const list = /^readonly (.+)\[\]$/.exec(part)?.[1] ?? /^(.+)\[\]$/.exec(part)?.[1]
  if (list !== undefined) {
    const items = schemaOf(list.replace(/^\((.*)\)$/, '$1'), reader, known)
    return items === undefined ? undefined : { type: 'array', items }
  }
  const members = reader.interface(part.replace(/<.*$/s, ''))
  if (members !== undefined) return { type: 'object', properties: propertiesOf(members, reader, known), additionalProperties: false }
  const alias = reader.alias(part.replace(/<.*$/s, ''))
  if (alias !== undefined && !alias.startsWith('Pick<') && !alias.startsWith('{')) return schemaOf(alias, reader, known)
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
