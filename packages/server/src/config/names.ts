/** `max_connections` → `maxConnections`. */
export function toCamelCase(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** `maxConnections` → `max_connections`. */
export function toSnakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** Writes the names of options in a sentence as files have them. */
export function inFileNames(sentence: string, names: ReadonlySet<string>): string {
  return sentence.replaceAll(/[a-z]+(?:[A-Z][a-z0-9]*)+/g, (word) => (names.has(word) ? toSnakeCase(word) : word))
}

/** What may stand in a file, of what may be given: no functions. */
export const withoutFunctions = (sentence: string): string => sentence.replaceAll(/,? or a function\b|, a function\b(?=,)/g, '')

/** What other pools call an option, in lower case without signs. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  max: 'max_connections',
  maxsize: 'max_connections',
  poolsize: 'max_connections',
  connectionlimit: 'max_connections',
  min: 'min_connections',
  minsize: 'min_connections',
  queuelimit: 'max_waiting',
  maxwaitingclients: 'max_waiting',
  connectiontimeoutmillis: 'acquire_timeout',
  acquiretimeoutmillis: 'acquire_timeout',
  idletimeoutmillis: 'idle_timeout',
  maxlifetimeseconds: 'max_lifetime',
}

/** So many names are a list that somebody reads. */
const READABLE = 20

/**
 * What is wrong with a name that is none of those that may stand there.
 *
 * @param onlyInCode names of what code may give and no file can hold
 */
export function unknownName(
  given: string,
  names: readonly string[],
  onlyInCode: readonly string[] = [],
): { readonly given: string; readonly allowed: string } {
  const code = toSnakeCase(given)
  if (onlyInCode.includes(code)) return { given: 'an option that no file can hold', allowed: `others; ${code} can be given in code only` }
  return { given: 'an unknown option', allowed: nearest(given, names) }
}

/** The name closest to a misspelt one, or all of them if they are not too many. */
function nearest(given: string, names: readonly string[]): string {
  const plain = (text: string): string => text.replaceAll(/[^a-z0-9]/gi, '').toLowerCase()
  const elsewhere = ELSEWHERE[plain(given)]
  if (elsewhere !== undefined && names.includes(elsewhere)) return `${elsewhere}?`
  let best: { name: string; distance: number } | undefined
  for (const name of names) {
    const distance = editDistance(plain(given), plain(name))
    if (best === undefined || distance < best.distance) best = { name, distance }
  }
  if (best !== undefined && best.distance <= Math.max(2, given.length / 3)) return `${best.name}?`
  return names.length <= READABLE ? names.join(', ') : `one of the ${names.length} in docs/configuration.md`
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next[j] = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, changed)
    }
    row = next
  }
  return row[b.length] as number
}
