import type { Path } from './document.ts'
import { toCamelCase } from './names.ts'
import { propertyOf, type SchemaNode, takes } from './schema.ts'
import { key } from './substitute.ts'

/**
 * Values of a file as code gives them: names in camelCase, `infinity` as a number, and what came from outside (which
 * is a text at first) as the number or the truth value that is wanted there.
 */
export function toOptions(value: unknown, schema: SchemaNode | undefined, path: Path, references: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return fromText(value, schema, references.has(key(path)))
  if (Array.isArray(value)) return value.map((item, index) => toOptions(item, schema?.items, [...path, index], references))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      toCamelCase(name),
      toOptions(item, propertyOf(schema, name), [...path, name], references),
    ]),
  )
}

function fromText(text: string, schema: SchemaNode | undefined, fromOutside: boolean): unknown {
  if (takes(schema, 'number') && /^infinity$/i.test(text.trim())) return Number.POSITIVE_INFINITY
  if (!fromOutside) return text
  if ((takes(schema, 'number') || takes(schema, 'integer')) && /^-?\d+(?:\.\d+)?$/.test(text.trim())) return Number(text)
  if (takes(schema, 'boolean') && /^(?:true|false)$/.test(text.trim())) return text.trim() === 'true'
  return text
}
