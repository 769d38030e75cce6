import type { RedisClient } from 'wellpool/redis'
import { ApiProblem } from '../api/problem.ts'
import { allowsWords } from './allow.ts'
import type { Executor } from './executor.ts'
import { wordsMisfit } from './misfits.ts'
import { overConnection } from './over-connection.ts'
import { toJsonValue } from './rows.ts'

/** What turns a connection into something else, or belongs to several calls. */
const REFUSED = [
  'auth',
  'discard',
  'exec',
  'hello',
  'monitor',
  'multi',
  'psubscribe',
  'psync',
  'quit',
  'reset',
  'ssubscribe',
  'subscribe',
  'sync',
  'watch',
]
/** Commands that change nothing although the server does not call them `readonly`. */
const HARMLESS = ['echo', 'info', 'ping', 'time']

/** Commands on Redis, each by itself. Where changes are refused only those run that the server calls `readonly`. */
export const executor: Executor = {
  misfit: (request) =>
    wordsMisfit(request) ?? (REFUSED.includes(nameOf(request.command)) ? `${nameOf(request.command)} is of no use over a pool` : undefined),
  allows: ({ allow }, { command }) => allowsWords(allow, words(command)),
  timedOut: () => false,
  run: (pool, execution) =>
    overConnection<RedisClient>(pool, execution, async (client) => {
      const { request, rules } = execution
      const command = words(request.command)
      if (rules.readOnly && !(await isReadOnly(client, command))) {
        throw new ApiProblem('EXECUTE_REFUSED', `this pool is for reading only, and ${nameOf(command)} may change something`)
      }
      const reply = toJsonValue(await client.sendCommand([...command])) ?? null
      if (JSON.stringify(reply).length > rules.maxOutput) {
        throw new ApiProblem('EXECUTE_FAILED', `the answer is longer than the ${rules.maxOutput} bytes that the pool's rules let through`)
      }
      return { kind: 'reply', truncated: false, reply }
    }),
}

async function isReadOnly(client: RedisClient, command: readonly string[]): Promise<boolean> {
  const name = nameOf(command)
  if (HARMLESS.includes(name)) return true
  const [info] = (await client.sendCommand(['COMMAND', 'INFO', name])) as unknown as readonly (readonly unknown[] | null)[]
  const flags = [...((info?.[2] ?? []) as Iterable<unknown>)].map(String)
  return flags.includes('readonly')
}

const words = (command: string | readonly string[] | undefined): readonly string[] => (Array.isArray(command) ? command : [])
const nameOf = (command: string | readonly string[] | undefined): string => words(command)[0]?.toLowerCase() ?? ''
