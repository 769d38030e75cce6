import type { Identity } from '../security/roles.ts'
import type { Access } from './schemas/common.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is asking; null until that is known. */
    identity: Identity | null
  }
  interface FastifyContextConfig {
    /** Who may call the route; absent where nobody is asked. */
    access?: Access
  }
  interface FastifySchema {
    tags?: readonly string[]
    operationId?: string
    summary?: string
    description?: string
  }
}
