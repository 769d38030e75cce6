import Type, { type TProperties, type TSchema } from 'typebox'
import type { Role } from '../../security/roles.ts'

/** Of answers that are JSON already, and are sent as they are. */
export const JSON_TYPE = 'application/json; charset=utf-8'

/** An object that takes nothing but these. */
export const closed = <Properties extends TProperties>(properties: Properties, description?: string) =>
  Type.Object(properties, { additionalProperties: false, ...(description !== undefined && { description }) })

export const words = <const Word extends string>(values: readonly Word[], description?: string) =>
  Type.Unsafe<Word>({ type: 'string', enum: [...values], ...(description !== undefined && { description }) })

export const count = (description?: string) => Type.Integer({ minimum: 0, ...(description !== undefined && { description }) })
export const time = (description: string) => Type.Number({ description: `${description}; ms since 1970.` })
export const ms = (description: string) => Type.Number({ description: `${description}; ms.` })
export const timeout = (description: string) =>
  Type.Unsafe<string | number>({ type: ['string', 'number'], maxLength: 50, description: `${description} ms, or a text such as '30s'.` })

/** An error, without a stack. */
export const ErrorSchema = Type.Object({ name: Type.String(), message: Type.String(), code: Type.Optional(Type.String()) })

/** A problem as RFC 9457 has it. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'A name for this kind of problem: `urn:wellpool:problem:` and the code.' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'For programs; stable.' }),
    detail: Type.Optional(Type.String({ description: 'For people.' })),
    retryable: Type.Optional(Type.Boolean({ description: 'Whether the same request may succeed later without anything being changed.' })),
    problems: Type.Optional(Type.Array(Type.Object({ path: Type.String() }, { additionalProperties: true }))),
  },
  { additionalProperties: true, description: 'What went wrong, as RFC 9457 has it.' },
)

const problem = (description: string) => ({ description, content: { 'application/problem+json': { schema: ProblemSchema } } })

/** What a route may answer beside its own answers. */
export const PROBLEMS = {
  400: problem('The request is wrong; nothing was done.'),
  401: problem('No token, or not a valid one.'),
  403: problem('Not allowed.'),
  429: problem('Too many wrong tokens.'),
} as const

export const problems = (...more: readonly [status: number, description: string][]) =>
  Object.fromEntries([...Object.entries(PROBLEMS), ...more.map(([status, description]) => [status, problem(description)])])

/** Who may call a route: those with a role, or with any. */
export type Access = Role | 'any'

/** What a route is about, and who may call it. */
export function describeRoute(
  tag: string,
  id: string,
  summary: string,
  access: Access,
  responses: Record<number, unknown>,
  parts: Record<string, TSchema> = {},
) {
  const description = access === 'any' ? 'Needs a token, whatever its role.' : `Needs the role \`${access}\`.`
  return {
    schema: { tags: [tag], operationId: id, summary, description, ...parts, response: responses },
    config: { access },
  }
}
