/** Why a connection is to be rebuilt: a small closed set in each release, fit for a metric label. */
export type ReasonKind =
  | 'connection_lost'
  | 'health_failures'
  | 'reset_failed'
  | 'degraded_performance'
  | 'retired_by_peer'
  | 'slow_outlier'
  | 'max_uses'
  | 'max_lifetime'
  | 'error_rate'
  | 'manual'
  | 'rollout'
  | 'predicted_failure'

/** Why a connection is to be rebuilt. */
export interface Reason {
  readonly kind: ReasonKind
  /** For people: `"3 failed checks in a row: time-out after 5000 ms"`. */
  readonly detail: string
}

/** What has been decided about a connection: that it is rebuilt, why, and how soon. */
export interface Mark extends Reason {
  /** Urgent: it leaves service at once. Otherwise it serves until its successor is ready. */
  readonly urgent: boolean
}

/**
 * What the peer, asked over another connection, says of a client that is silent: it is at work for it, or no answer
 * will ever come, or that could not be found out.
 */
export type SecondOpinion = 'working' | 'gone' | 'unknown'
