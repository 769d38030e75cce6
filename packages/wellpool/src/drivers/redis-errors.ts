import type { ErrorClass } from '../engine/driver.ts'
import { ConfigError } from '../engine/errors.ts'
import { classifyCauses, isDeadSocket, isTlsMismatch } from '../shared/network-errors.ts'

/**
 * What the error replies of a Redis server mean, by their first word. All others are the application's: the server
 * has answered, and the session goes on.
 */
export const REDIS_ERRORS: Readonly<Record<string, ErrorClass>> = {
  BUSY: 'transient', // a script runs on and on: the server answers nothing else
  CLUSTERDOWN: 'transient', // the cluster has lost slots, or this node the others
  LOADING: 'transient', // it reads its data; a replica does so with its connections open
  MASTERDOWN: 'transient', // a replica that has lost its master and serves nothing stale
  NOAUTH: 'fatal', // the session is logged in as nobody
  READONLY: 'fatal', // a fail-over: the server was a master and is a replica now
  UNBLOCKED: 'transient', // a blocking command was ended because the server has become a replica
  // To be known for replies, whoever has made an error of them.
  ASK: 'application', // a cluster is moving the slot of the key
  CROSSSLOT: 'application', // keys of different slots in one command
  ERR: 'application', // syntax, arguments, all that has no word of its own
  EXECABORT: 'application', // a command of the transaction was refused
  MISCONF: 'application', // its disk fails, and it takes no writes meanwhile
  MOVED: 'application', // another node of the cluster has the slot of the key
  NOPERM: 'application', // the user may not do that
  NOREPLICAS: 'application', // too few replicas to take writes
  NOSCRIPT: 'application', // the script is not loaded
  OOM: 'application', // no memory left for what is written
  TRYAGAIN: 'application', // a cluster is moving some of the keys
  WRONGPASS: 'application', // of AUTH by hand: the session stays whose it was
  WRONGTYPE: 'application', // the key holds something else
}

/**
 * As connect errors `fatal` are those that the next try will meet as well, and that may lock an account. All others
 * will pass: a server that is full, reads its data, or is in trouble.
 */
export const REDIS_CONNECT_ERRORS: Readonly<Record<string, ErrorClass>> = {
  DENIED: 'fatal', // protected mode: it takes connections from its own machine only
  ERR: 'fatal', // no such database, a server that knows no HELLO, a password where none is set
  NOAUTH: 'fatal', // it wants a password
  NOPERM: 'fatal', // the user may not do what a new session does
  NOPROTO: 'fatal', // it does not speak this version of the protocol
  WRONGPASS: 'fatal', // wrong user or password, or a user that is disabled
}

/** The server has no room, and says so with the same word as it says everything else. */
const FULL = /max number of clients/

/** Of node-redis, which gives them no code: the client is of no more use. */
const DEAD_CLIENT =
  /^(The client is closed|The client is offline|Disconnects client|Socket closed unexpectedly|Socket timeout timeout|Unknown RESP type)/

/** Of node-redis: EXEC was answered, and somebody else had changed a key that was watched. */
const WATCHED_KEY_CHANGED = /^One \(or more\) of the watched keys/

/** A script's error has that of its command within it: before Redis 7, and in what has come of that. */
const OF_SCRIPT = /^ERR Error running script.*?: -([A-Z]+) /

/** An error of node-redis may be a reply, or several: those of a transaction. */
type RedisError = Error & { readonly code?: unknown; readonly replies?: unknown }

/**
 * What an error says about the connection that it came over.
 *
 * @param connecting whether it is a failed connect's
 */
export function classifyRedisError(error: unknown, connecting: boolean): ErrorClass {
  return classifyCauses(error, connecting ? classifyAtConnect : classifyInUse)
}

function classifyInUse(error: RedisError): ErrorClass | undefined {
  const { code, message, replies } = error
  if (Array.isArray(replies)) return worstOf(replies)
  if (isReply(error)) return REDIS_ERRORS[wordOf(error)] ?? 'application'
  if (WATCHED_KEY_CHANGED.test(message)) return 'application'
  return isDeadSocket(code) || DEAD_CLIENT.test(message) ? 'fatal' : undefined
}

function classifyAtConnect(error: RedisError): ErrorClass | undefined {
  if (error instanceof ConfigError) return 'fatal'
  const { code, message } = error
  if (isReply(error)) return FULL.test(message) ? 'transient' : (REDIS_CONNECT_ERRORS[wordOf(error)] ?? 'transient')
  return isTlsMismatch(code) || /certificate|altnames/i.test(message) ? 'fatal' : undefined
}

function worstOf(replies: readonly unknown[]): ErrorClass {
  const classes = replies.map((reply) => (reply instanceof Error ? classifyInUse(reply) : undefined))
  return (['fatal', 'transient'] as const).find((kind) => classes.includes(kind)) ?? 'application'
}

/**
 * Whether the server has said it. By the name of its class (not all versions export that, and an application may have
 * several of them), or by a word that is known: in bundles names may be lost.
 */
function isReply(error: Error): boolean {
  const word = wordOf(error)
  if (Object.hasOwn(REDIS_ERRORS, word) || Object.hasOwn(REDIS_CONNECT_ERRORS, word)) return true
  for (let type = Object.getPrototypeOf(error); type !== null; type = Object.getPrototypeOf(type)) {
    if (type.constructor.name === 'ErrorReply') return true
  }
  return false
}

function wordOf({ message }: Error): string {
  return OF_SCRIPT.exec(message)?.[1] ?? (message.split(' ', 1)[0] as string)
}
