import Type from 'typebox'
import { closed, count, ms, timeout, words } from './common.ts'

export const ExecuteBody = closed({
  statement: Type.Optional(Type.String({ minLength: 1, maxLength: 100_000, description: 'For databases: one statement of SQL.' })),
  parameters: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 10_000, description: 'The values of its parameters.' })),
  command: Type.Optional(
    Type.Unsafe<string | string[]>({
      anyOf: [
        { type: 'string', minLength: 1, maxLength: 100_000 },
        { type: 'array', items: { type: 'string', maxLength: 1_000_000 }, minItems: 1, maxItems: 10_000 },
      ],
      description: 'For Redis: the command and its arguments, as a list. For SSH: what is to be run.',
    }),
  ),
  timeout: Type.Optional(timeout("How long it may take, at most what the pool's rules allow.")),
})

export const ExecuteResult = Type.Object({
  kind: words(['rows', 'reply', 'output']),
  connectionId: Type.String({ description: 'Over which connection it went.' }),
  durationMs: ms('How long it took, waiting for a connection included'),
  truncated: Type.Boolean({ description: 'Whether there was more than the rules of the pool let through.' }),
  columns: Type.Optional(Type.Array(Type.Object({ name: Type.String(), type: Type.String() }))),
  rows: Type.Optional(Type.Array(Type.Array(Type.Unknown()), { description: 'Binary values in base64.' })),
  rowCount: Type.Optional(count('Rows that were changed or brought.')),
  reply: Type.Optional(Type.Unknown({ description: "Redis' answer." })),
  stdout: Type.Optional(Type.String()),
  stderr: Type.Optional(Type.String()),
  exitCode: Type.Optional(Type.Integer()),
})
