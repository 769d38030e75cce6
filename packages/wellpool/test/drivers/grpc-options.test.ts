import { inspect } from 'node:util'
import { credentials } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { type GrpcOptions, resolveGrpcOptions } from '../../src/drivers/grpc-options.ts'
import { ConfigError, type ConfigProblem } from '../../src/engine/errors.ts'

const SECRET = 'correct-horse'
const SOUND = { address: 'localhost:1', credentials: credentials.createInsecure(), client: () => ({}) }

/** The problems of options that must be refused. */
function problemsOf(options: unknown): readonly ConfigProblem[] {
  try {
    resolveGrpcOptions(options as GrpcOptions<object>)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET)
    return error.problems
  }
  throw new Error('the options were not refused')
}

describe('the options of grpc()', () => {
  it.each([
    [{ address: '' }, 'address', "''"],
    [{ address: 50_051 }, 'address', '50051'],
    [{ credentials: { token: SECRET } }, 'credentials', 'an object'],
    [{ client: {} }, 'client', 'an object'],
    [{ health: 5 }, 'health', '5'],
    [{ channelOptions: 'none' }, 'channelOptions', "'none'"],
    [{ channelOptions: { 'grpc.use_local_subchannel_pool': 0 } }, "channelOptions['grpc.use_local_subchannel_pool']", 'a value'],
    [{ channelOptions: { 'grpc.client_idle_timeout_ms': 5000 } }, "channelOptions['grpc.client_idle_timeout_ms']", 'a value'],
    [
      { channelOptions: { 'grpc.service_config': '{"loadBalancingConfig":[{"round_robin":{}}]}' } },
      "channelOptions['grpc.service_config']",
      'a policy for balancing',
    ],
    [{ maxLeasesPerConnection: 0 }, 'maxLeasesPerConnection', '0'],
    [{ secrets: SECRET }, 'secrets', 'a text'],
    [{ keepAliveDelay: '1ms' }, 'keepAliveDelay', "'1ms'"],
    [{ host: 'localhost' }, 'host', 'an unknown option'],
  ])('refuses %j', (wrong, path, given) => {
    expect(problemsOf({ ...SOUND, ...wrong })).toMatchObject([{ path, given }])
  })

  it('names every problem at once, with what is allowed', () => {
    expect(problemsOf({ health: null })).toEqual([
      { path: 'health', given: 'null', allowed: 'a text' },
      { path: 'address', given: 'nothing', allowed: 'a text that is not empty' },
      { path: 'credentials', given: 'nothing', allowed: 'credentials of @grpc/grpc-js' },
      { path: 'client', given: 'nothing', allowed: 'a function' },
    ])
    expect(problemsOf(undefined)).toMatchObject([{ path: 'options', given: 'undefined' }])
  })

  it('takes a policy for retries, and makes each channel a connection of its own', () => {
    const config = '{"methodConfig":[]}'
    expect(resolveGrpcOptions({ ...SOUND, channelOptions: { 'grpc.service_config': config } })).toMatchObject({
      channelOptions: { 'grpc.service_config': config, 'grpc.use_local_subchannel_pool': 1 },
      maxLeases: 100,
      keepAliveMs: 30_000,
    })
  })
})
