import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import { createPools } from 'wellpool'
import { ApiParts } from '../server.ts'

const TAGS = [
  ['pools', 'Pools in numbers, and what can be done to them.'],
  ['connections', 'Each connection.'],
  ['events', 'What has happened, and what happens.'],
  ['rebuilds', 'Rebuilds by hand.'],
  ['configuration', 'The options in force, and the file of an agent.'],
  ['execute', 'Statements and commands over pooled connections.'],
  ['session', 'Who is asking, and what was changed.'],
  ['health', 'For probes and for Prometheus.'],
] as const

/** The description of the API, made from the schemas of its routes. */
export async function createOpenApi(version: string): Promise<object> {
  const app = Fastify()
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Wellpool',
        version,
        description: 'See and steer the connection pools of a process. Errors are problem details as RFC 9457 has them.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: TAGS.map(([name, description]) => ({ name, description })),
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'A token of `wellpool token create`.' } } },
      security: [{ token: [] }],
    },
  })
  const pools = createPools({})
  await app.register(new ApiParts(pools, { dashboard: false }, undefined, () => {}).plugin)
  await app.ready()
  const document = app.swagger()
  await app.close()
  await pools.close()
  return document
}
