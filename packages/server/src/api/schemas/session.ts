import Type from 'typebox'
import { ROLES } from '../../security/roles.ts'
import { closed, words } from './common.ts'

export const SessionSchema = Type.Object({
  name: Type.String({ description: "The token's name; `anonymous` where no tokens are needed." }),
  roles: Type.Array(words(ROLES)),
  tokensNeeded: Type.Boolean(),
})

export const AuditEntrySchema = Type.Object({
  time: Type.String({ description: 'ISO 8601.' }),
  who: Type.String(),
  tokenId: Type.Optional(Type.String()),
  address: Type.String(),
  action: Type.String(),
  target: Type.String(),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  result: Type.String({ description: '`done`, `accepted` for what goes on, or the code of the problem.' }),
  durationMs: Type.Number(),
})

export const AuditQuery = closed({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'At most so many, the latest. Default 100.' })),
})
