import type { ErrorClass } from '../engine/driver.ts'
import { ConfigError } from '../engine/errors.ts'
import { classifyCauses, isDeadSocket, isTlsMismatch } from '../shared/network-errors.ts'

/** AMQP's codes that end a channel and leave its connection as it is (AMQP 0-9-1, section 1.2, "soft errors"). */
const OF_CHANNELS: readonly number[] = [311, 313, 403, 404, 405, 406]
/** Those that end the connection ("hard errors"): CONNECTION_FORCED, INVALID_PATH, frame and syntax errors, … */
const OF_CONNECTIONS: readonly number[] = [320, 402, 501, 502, 503, 504, 505, 506, 530, 540, 541]

/** Of amqplib, which gives them no code: the connection is over. */
const NO_CONNECTION = /^(Connection clos|Heartbeat timeout|Unexpected close|Socket closed abruptly)/
/** Of amqplib as well: the channel is over. If its connection is too, that has been reported by then. */
const NO_CHANNEL = /^(Channel ended, no reply|channel closed$)/

/**
 * The next try would meet it as well, and accounts get locked. Of a broker that does not let the user into its vhost
 * amqplib does not pass on why: there may be none of that name, and there may be too many connections.
 */
const NEVER = /\b403\b|ACCESS.REFUSED|SASL mechanism/

/**
 * What an error says about the connection that it came over.
 *
 * @param connecting whether it is a failed connect's
 */
export function classifyAmqpError(error: unknown, connecting: boolean): ErrorClass {
  return classifyCauses(error, connecting ? classifyAtConnect : classifyInUse)
}

function classifyAtConnect(error: Error): ErrorClass | undefined {
  if (error instanceof ConfigError) return 'fatal'
  const { code, message } = error as NodeJS.ErrnoException
  return NEVER.test(message) || isTlsMismatch(code) ? 'fatal' : undefined
}

function classifyInUse(error: Error): ErrorClass | undefined {
  const { code, message, name } = error as Error & { readonly code?: unknown }
  if (typeof code === 'number') {
    if (OF_CHANNELS.includes(code)) return 'application'
    return OF_CONNECTIONS.includes(code) ? 'fatal' : undefined
  }
  if (isDeadSocket(code) || NO_CONNECTION.test(message)) return 'fatal'
  // A channel that its borrower, or an error of the borrower's, has closed; a message that the broker did not take.
  const ofBorrower = name === 'IllegalOperationError' || NO_CHANNEL.test(message) || message === 'message nacked'
  return ofBorrower ? 'application' : undefined
}
