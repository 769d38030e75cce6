/** What other pools call an option that is not spelt alike. */
const KNOWN_AS: ReadonlyMap<string, string> = new Map([
  ['max', 'maxConnections'],
  ['poolsize', 'maxConnections'],
  ['connectionlimit', 'maxConnections'],
  ['maximum', 'maxConnections'],
  ['min', 'minConnections'],
  ['queuelimit', 'maxWaiting'],
  ['connectiontimeout', 'acquireTimeout'],
])

/** As sure as it has to be to ask whether this one was meant, and how many are worth reading otherwise. */
const SURE = 0.8
const MOST = 4

/** The name that was meant by one that is none of these; the most like ones if that is not plain. */
export function nearest(given: string, names: readonly string[]): string {
  const meant = KNOWN_AS.get(plain(given)) ?? given
  const ranked = [...names].sort((a, b) => likeness(meant, b) - likeness(meant, a))
  const [best] = ranked
  if (best !== undefined && likeness(meant, best) >= SURE) return `${best}?`
  return ranked.slice(0, MOST).join(', ') + (names.length > MOST ? ', …' : '')
}

/** From 0 to 1: how many pairs of letters the two have in common. */
function likeness(one: string, other: string): number {
  const [a, b] = [plain(one), plain(other)]
  const common = [...a].filter((_, index) => b.includes(a.slice(index, index + 2)))
  return (2 * common.length) / (a.length + b.length)
}

/** The letters alone, without the unit that other pools have in their names. */
function plain(text: string): string {
  return text.toLowerCase().replaceAll(/millis$|[^a-z]/g, '')
}
