export type { AgentConfig, ExecuteRules, PoolConfig, ServerConfig } from './config.ts'
export { ConfigFileError, type FileProblem } from './errors.ts'
export { type LoadOptions, loadConfig, parseConfig } from './load.ts'
