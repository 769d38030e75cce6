import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pino from 'pino'
import { onTestFinished } from 'vitest'
import { type Agent, createToken, type Role, startAgent } from '../../src/index.ts'
import { writeTokens } from '../../src/security/token-file.ts'
import { type Answer, send } from './server.ts'

/** An agent in this process, with a configuration of its own. */
export interface AgentScene {
  readonly agent: Agent
  readonly url: string
  readonly file: string
  /** What it has logged. */
  readonly lines: { readonly msg: string; readonly [field: string]: unknown }[]
  /** Writes another configuration into its file. */
  readonly write: (text: string) => void
  /** Sends a request as somebody who may do everything. */
  readonly call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>
  /** The token of somebody with one role. */
  readonly token: (role: Role) => string
}

/** Starts an agent with these pools. It listens on a free port, and ends with the test. */
export async function startAgentScene(text: string, env: Record<string, string> = {}): Promise<AgentScene> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellpool-agent-'))
  const file = path.join(folder, 'wellpool.yaml')
  const everything = createToken('everything', ['operator', 'executor'], new Date())
  const single = (['viewer', 'operator', 'executor'] as const).map((role) => [role, createToken(role, [role], new Date())] as const)
  writeTokens(path.join(folder, 'tokens.json'), [everything.record, ...single.map(([, { record }]) => record)])
  const write = (content: string): void =>
    writeFileSync(file, `server: { port: 0, tokens_file: tokens.json, audit_log: audit.log, dashboard: false }\n${content}`)
  write(text)
  const lines: AgentScene['lines'] = []
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const { agent, address } = await startAgent({ file, env, logger })
  onTestFinished(async () => {
    await agent.stop()
    rmSync(folder, { recursive: true })
  })
  return {
    agent,
    url: address,
    file,
    lines,
    write,
    call: (method, route, body, headers = {}) =>
      send(address, method, route, body, { authorization: `Bearer ${everything.text}`, ...headers }),
    token: (role) => new Map(single).get(role)?.text ?? '',
  }
}
