import { Ajv, type ErrorObject } from 'ajv'
import type { TSchema } from 'typebox'
import { excerpt } from './masking.ts'
import { unknownName } from './names.ts'
import type { PathProblem } from './substitute.ts'

const ajv = new Ajv({ allErrors: true, verbose: true, strict: false })

/** Checks a section of a file against its schema. */
export function checkSection(schema: TSchema, value: unknown, section: readonly string[]): PathProblem[] {
  const validate = ajv.compile(schema)
  if (validate(value)) return []
  const problems = new Map<string, PathProblem>()
  for (const error of validate.errors ?? []) {
    const problem = toProblem(error, section)
    const place = JSON.stringify(problem.path)
    // Of the branches of a choice only the choice is told.
    if (!problems.has(place) || error.keyword === 'anyOf') problems.set(place, problem)
  }
  return [...problems.values()]
}

function toProblem(error: ErrorObject, section: readonly string[]): PathProblem {
  const { instancePath, keyword, params, data, parentSchema } = error
  const path = [...section, ...instancePath.split('/').slice(1).map(toStep)]
  if (keyword === 'additionalProperties') {
    const name = String(params.additionalProperty)
    return { path: [...path, name], ...unknownName(name, Object.keys(parentSchema?.properties ?? {})) }
  }
  if (keyword === 'required') {
    return {
      path: [...path, String(params.missingProperty)],
      given: 'nothing',
      allowed: words(parentSchema?.properties?.[params.missingProperty]),
    }
  }
  return { path, given: keyword === 'type' && parentSchema?.type === 'object' ? showKind(data) : show(data), allowed: words(parentSchema) }
}

const toStep = (text: string): string | number => (/^\d+$/.test(text) ? Number(text) : text.replaceAll('~1', '/').replaceAll('~0', '~'))

/** What a schema allows, in words. */
function words(schema: Record<string, unknown> | undefined): string {
  const { type, minimum, maximum, anyOf, properties } = schema ?? {}
  if (Array.isArray(anyOf)) return anyOf.map((part: { const?: unknown }) => show(part.const)).join(' or ')
  if (Array.isArray(type)) return "a duration (ms, or text such as '30s')"
  switch (type) {
    case 'integer':
      return `a whole number from ${minimum} to ${maximum}`
    case 'boolean':
      return 'true or false'
    case 'string':
      return 'a text that is not empty'
    case 'array':
      return 'a list with at least one text'
    default:
      return `a mapping with ${Object.keys(properties ?? {}).join(', ')}`
  }
}

/** As `show`, where a mapping is wanted: a text may be an address with a password, or a whole file that was meant for others. */
export function showKind(value: unknown): string {
  return typeof value === 'string' ? 'a text' : show(value)
}

/** A value as text, not all of a long one, and without passwords in addresses; of lists and mappings only that they are. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${excerpt(value)}'`
  if (Array.isArray(value)) return 'a list'
  return value !== null && typeof value === 'object' ? 'a mapping' : String(value)
}
