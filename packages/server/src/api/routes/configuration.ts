import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { DEFAULT_OPTIONS, type Pool } from 'wellpool'
import { audited } from '../audited.ts'
import type { AgentHooks, ApiContext } from '../context.ts'
import { ApiProblem } from '../problem.ts'
import { describeRoute, problems } from '../schemas/common.ts'
import { ConfigurationSchema, ReloadBody, ReloadResult } from '../schemas/configuration.ts'

/** Options that are objects of the program, not settings. */
const COLLABORATORS = ['metrics', 'clock', 'random', 'logger']

/** The configuration in force, and the file that it comes from. */
export function configurationRoutes(app: FastifyInstance, context: ApiContext): void {
  const { agent } = context
  app.get(
    '/config',
    describeRoute('configuration', 'getConfiguration', 'The configuration in force', 'viewer', { 200: ConfigurationSchema, ...problems() }),
    () => ({
      pools: Object.fromEntries(
        [...context.pools].map(([name, pool]) => [name, { protocol: pool.protocol, options: optionsInForce(pool) }]),
      ),
      ...(agent !== undefined && { file: agent.file, ...agent.configuration() }),
    }),
  )

  const reload = { 200: ReloadResult, ...problems([409, 'This server has no file.']) }
  app.post<{ Body: Static<typeof ReloadBody> | undefined }>(
    '/config/reload',
    describeRoute(
      'configuration',
      'reloadConfiguration',
      'Read the file again and apply what has changed, without losing a lease',
      'operator',
      reload,
      { body: ReloadBody },
    ),
    (request) => {
      const hooks = requireAgent(agent)
      const { dryRun = false } = request.body ?? {}
      return audited(context, request, { action: 'reload', target: 'configuration', details: { dryRun } }, () => hooks.reload(dryRun))
    },
  )
}

/** @throws ApiProblem NOT_AN_AGENT */
export function requireAgent(agent: AgentHooks | undefined): AgentHooks {
  if (agent === undefined) throw new ApiProblem('NOT_AN_AGENT', 'the pools of this server are made by its program, not by a file')
  return agent
}

function optionsInForce(pool: Pool<unknown>): Record<string, unknown> {
  const isGiven = ([, value]: [string, unknown]): boolean => value !== undefined
  const options = Object.fromEntries(Object.entries(pool.options).filter(isGiven)) as Pool<unknown>['options']
  const { maxConnections = DEFAULT_OPTIONS.maxConnections } = options
  const backoff = { ...DEFAULT_OPTIONS.backoff, ...Object.fromEntries(Object.entries(options.backoff ?? {}).filter(isGiven)) }
  const all = { ...DEFAULT_OPTIONS, minConnections: Math.min(2, maxConnections), ...options, backoff }
  return Object.fromEntries(
    Object.entries(all)
      .filter(([name]) => !COLLABORATORS.includes(name))
      .map(([name, value]) => [name, value === Number.POSITIVE_INFINITY ? 'infinity' : value]),
  )
}
