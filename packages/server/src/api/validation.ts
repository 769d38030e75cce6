import { Ajv, type ValidateFunction } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'

/** Bodies are taken as they are: a text is no number. */
const strict = new Ajv({ allErrors: false, coerceTypes: false, removeAdditional: false, useDefaults: false, strict: false })
/** In addresses everything is a text. */
const coercing = new Ajv({ allErrors: false, coerceTypes: true, removeAdditional: false, useDefaults: false, strict: false })

/** Checks what a request brings against the schemas of its route. A body in which nothing is required may be left out. */
export const compileValidator: FastifySchemaCompiler<{ readonly required?: readonly string[] }> = ({ schema, httpPart }) => {
  if (httpPart !== 'body') return coercing.compile(schema)
  const validate = strict.compile(schema)
  return schema.required === undefined || schema.required.length === 0 ? orNothing(validate) : validate
}

function orNothing(validate: ValidateFunction): ValidateFunction {
  const check = (data: unknown): boolean => {
    const fits = data === null || data === undefined || validate(data)
    optional.errors = validate.errors ?? null
    return fits
  }
  const optional = Object.assign(check, { errors: null }) as unknown as ValidateFunction
  return optional
}
