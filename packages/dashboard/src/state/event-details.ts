import type { EventRecord } from '../api/contract.ts'

/** What events carry, read with care: what an agent of another version leaves out is undefined. */
export interface Details {
  readonly reason: { readonly kind: string; readonly detail: string } | undefined
  /** `connectionClosed` has a word as its reason. */
  readonly word: string | undefined
  readonly error: string | undefined
  readonly urgent: boolean
  readonly stage: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  readonly durationMs: number | undefined
  readonly heldMs: number | undefined
  readonly retryInMs: number | undefined
  readonly failures: number | undefined
  readonly oldGeneration: number | undefined
  readonly newGeneration: number | undefined
}

/** What an event carries beside its place and time. */
export function detailsOf({ details }: Pick<EventRecord, 'details'>): Details {
  const { reason, error } = details
  return {
    reason:
      isObject(reason) && text(reason.kind) !== undefined ? { kind: String(reason.kind), detail: text(reason.detail) ?? '' } : undefined,
    word: text(reason),
    error: isObject(error) ? text(error.message) : text(error),
    urgent: details.urgent === true,
    stage: text(details.stage),
    from: text(details.from),
    to: text(details.to),
    durationMs: number(details.durationMs),
    heldMs: number(details.heldMs),
    retryInMs: number(details.retryInMs),
    failures: number(details.failures),
    oldGeneration: number(details.oldGeneration),
    newGeneration: number(details.newGeneration),
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)
