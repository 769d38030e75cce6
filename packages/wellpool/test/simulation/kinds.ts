/**
 * The kinds of runs. A seed means another run in each of them.
 *
 * - `mixed`: a bit of everything
 * - `storms`: what fails, fails together: all flows of the endpoint, half of them, some of the new ones
 * - `clocks`: the process is stopped and the machine suspended all the time, and the wall clock is set
 * - `crowds`: many borrow under one signal, and some have what they borrowed closed
 * - `hangups`: again and again the endpoint accepts whoever comes, and soon ends it
 * - `pools`: several pools in one set, which grows and shrinks meanwhile
 * - `months`: a month of working days, nights and weekends
 */
export const KINDS = ['mixed', 'storms', 'clocks', 'crowds', 'hangups', 'pools', 'months'] as const

export type Kind = (typeof KINDS)[number]

export function isKind(text: unknown): text is Kind {
  return KINDS.some((kind) => kind === text)
}

/** Seeds of one kind, one after the other. */
export interface Chunk {
  readonly kind: Kind
  readonly from: number
  readonly to: number
}

/** How many seeds of a kind go with one of `mixed`. */
const SHARES: Readonly<Record<Kind, number>> = {
  mixed: 1,
  storms: 0.1,
  clocks: 0.1,
  crowds: 0.1,
  hangups: 0.1,
  pools: 0.05,
  months: 0.0005,
}
const CHUNK = 20

/** The seeds `first` to `last` of a kind; without a kind those of `mixed`, and so many of all others as go with them. */
export function* chunks(first: number, last: number, kind?: Kind): Generator<Chunk> {
  for (let from = first; from <= last; from += CHUNK) {
    const to = Math.min(last, from + CHUNK - 1)
    if (kind !== undefined) {
      yield { kind, from, to }
      continue
    }
    for (const each of KINDS) {
      const [after, upTo] = [Math.floor((from - 1) * SHARES[each]), Math.floor(to * SHARES[each])]
      if (upTo > after) yield { kind: each, from: after + 1, to: upTo }
    }
  }
}
