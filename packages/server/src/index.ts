export { Agent, type AgentOptions, startAgent } from './agent/agent.ts'
export { ROLES, type Role } from './security/roles.ts'
export { createToken, type TokenRecord } from './security/tokens.ts'
export { type ApiOptions, attach, createServer, type ListenOptions, type ServerOptions, type WellpoolServer } from './server.ts'
