import { ChannelCredentials, type ChannelInterface, type ChannelOptions, type ClientOptions } from '@grpc/grpc-js'
import type { Duration } from '../engine/duration.ts'
import { ConfigError, type ConfigProblem } from '../engine/errors.ts'
import { findMissing } from '../shared/missing-options.ts'
import { callback, duration, findProblems, isObject, type OptionRules, text, toMs } from '../shared/option-rules.ts'

/** The options that a client has to be made with: the channel in them is the pool's connection. */
export type GrpcClientOptions = ClientOptions & { readonly channelOverride: ChannelInterface }

/**
 * Where a gRPC server is, and how to make a client for it. Durations are numbers of milliseconds or texts (`'30s'`).
 *
 * @typeParam Client what the application uses: a generated client.
 */
export interface GrpcOptions<Client extends object> {
  /** As grpc-js has it: `api.internal:50051`, `dns:///api.internal:50051`, `unix:/run/api.sock`. */
  address: string
  /** `credentials.createSsl()`, `credentials.createInsecure()`, or others of grpc-js, with call credentials or without. */
  credentials: ChannelCredentials
  /** Makes the client: `(address, credentials, options) => new OrdersClient(address, credentials, options)`. */
  client: (address: string, credentials: ChannelCredentials, options: GrpcClientOptions) => Client
  /** The service that checks ask about (`grpc.health.v1`). Default: the server as a whole. */
  health?: string | undefined
  /** Options of grpc-js' channel: sizes of messages, user agent, … Balancing is the pool's. */
  channelOptions?: ChannelOptions | undefined
  /** How many borrowers share a connection: a whole number ≥ 1, or Infinity. Default 100. */
  maxLeasesPerConnection?: number | undefined
  /** Texts (tokens in call credentials) that no error may show. */
  secrets?: readonly string[] | undefined
  /** How long the socket is idle before TCP asks whether the peer is alive. At least 1 s. Default 30 s. */
  keepAliveDelay?: Duration | undefined
}

/** What {@link GrpcOptions} come to. */
export interface ResolvedGrpcOptions {
  readonly channelOptions: ChannelOptions
  readonly maxLeases: number
  readonly keepAliveMs: number
}

const DEFAULT_MAX_LEASES = 100
const DEFAULT_KEEP_ALIVE_MS = 30_000

/** What makes a channel one connection. */
const OWN_CHANNEL_OPTIONS: ChannelOptions = {
  // Otherwise all clients of the process share one connection to an address.
  'grpc.use_local_subchannel_pool': 1,
  // Otherwise grpc-js lets go of an idle connection after half an hour. The longest that Node's timers take.
  'grpc.client_idle_timeout_ms': 2 ** 31 - 1,
  // A policy of the server's for balancing would make several connections of one.
  'grpc.service_config_disable_resolution': 1,
}

const RULES: OptionRules<GrpcOptions<object>> = {
  address: text,
  credentials: { fits: (value) => value instanceof ChannelCredentials, allowed: 'credentials of @grpc/grpc-js', secret: true },
  client: callback,
  health: { fits: (value) => typeof value === 'string', allowed: 'a text' },
  channelOptions: { fits: isObject, allowed: 'an object with options of a channel' },
  maxLeasesPerConnection: {
    fits: (value) => value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && (value as number) >= 1),
    allowed: 'a whole number from 1, or Infinity',
  },
  secrets: { fits: (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'), allowed: 'texts', secret: true },
  keepAliveDelay: duration(1000),
}

/** @throws ConfigError naming every problem at once. It never shows a secret. */
export function resolveGrpcOptions(options: GrpcOptions<object>): ResolvedGrpcOptions {
  const problems = [...findProblems(options, RULES), ...findMissing(options, RULES, ['address', 'credentials', 'client'])]
  if (isObject(options) && isObject(options.channelOptions)) problems.push(...problemsOfChannel(options.channelOptions))
  if (problems.length > 0) throw new ConfigError(problems)
  return {
    channelOptions: { ...options.channelOptions, ...OWN_CHANNEL_OPTIONS },
    maxLeases: options.maxLeasesPerConnection ?? DEFAULT_MAX_LEASES,
    keepAliveMs: toMs(options.keepAliveDelay) ?? DEFAULT_KEEP_ALIVE_MS,
  }
}

function problemsOfChannel(channelOptions: ChannelOptions): ConfigProblem[] {
  const problems = Object.keys(OWN_CHANNEL_OPTIONS)
    .filter((name) => channelOptions[name] !== undefined)
    .map((name) => ({ path: `channelOptions['${name}']`, given: 'a value', allowed: 'nothing: the driver needs its own' }))
  const config = channelOptions['grpc.service_config']
  if (typeof config === 'string' && /loadBalancing(Config|Policy)/.test(config)) {
    problems.push({ path: "channelOptions['grpc.service_config']", given: 'a policy for balancing', allowed: 'none: the pool balances' })
  }
  return problems
}
