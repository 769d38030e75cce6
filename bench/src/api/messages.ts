/** What the process that asks is told. */
export type Command =
  /** Ask so often, as fast as it goes: a server that has been asked for a while is another one than one that has not. */
  | { readonly do: 'warmUp'; readonly requests: number }
  /** Ask so many times a second, and have so many listen to the events. */
  | { readonly do: 'begin'; readonly rate: number; readonly listeners: number }
  /** Stop, as soon as each listener has heard of every event up to this one, or was told that it had missed it. */
  | { readonly do: 'end'; readonly seq: number }

/** What became of what was asked for. */
export interface Asked {
  readonly answers: number
  readonly failed: number
  /** How long answers took, ms. */
  readonly answerMs: readonly number[]
  /** How old events and samples were when listeners heard of them, ms. */
  readonly toldMs: readonly number[]
}

/** What the process that asks tells. */
export type Report = { readonly kind: 'warm' } | { readonly kind: 'begun' } | { readonly kind: 'ended'; readonly asked: Asked }
