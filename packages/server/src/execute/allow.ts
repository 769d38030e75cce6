/** What stands for everything. */
const EVERYTHING = '*'

/**
 * Whether a statement is one of those that are allowed: the same text, but for blanks where nothing is quoted and for
 * a semicolon at its end. There are no wildcards: a statement takes its values as parameters.
 */
export function allowsStatement(allow: readonly string[], statement: string): boolean {
  return allow.includes(EVERYTHING) || allow.some((allowed) => normalise(allowed) === normalise(statement))
}

/** In quotes and in comments blanks and line ends mean something. */
const normalise = (statement: string): string => {
  const text = statement.trim().replace(/;$/, '').trim()
  return /['"`\\]|\$\w*\$|--|\/\*|#/.test(text) ? text : text.replaceAll(/\s+/g, ' ')
}

/** What `*` in the pattern of a command does not stand for: it could begin a second command, or hide one. */
const NOT_BY_WILDCARD = '[^\\r\\n;&|<>$\\\\`\'"(){}]*'

/** Whether a command line is one of those that are allowed. */
export function allowsCommandLine(allow: readonly string[], command: string): boolean {
  return allow.some((pattern) => pattern === EVERYTHING || toExpression(pattern, NOT_BY_WILDCARD).test(command))
}

/**
 * Whether a command that is a list of words is one of those that are allowed, word by word. A lone `*` at the end of a
 * pattern stands for any further words.
 */
export function allowsWords(allow: readonly string[], words: readonly string[]): boolean {
  return allow.some((pattern) => pattern === EVERYTHING || matchesWords(pattern.trim().split(/\s+/), words))
}

function matchesWords(patterns: readonly string[], words: readonly string[]): boolean {
  const open = patterns.length > 1 && patterns.at(-1) === EVERYTHING
  const fixed = open ? patterns.slice(0, -1) : patterns
  if (open ? words.length < fixed.length : words.length !== fixed.length) return false
  return fixed.every((pattern, index) => {
    const word = words[index] as string
    // Names of commands are written either way, arguments are what they are.
    return index === 0 ? pattern.toLowerCase() === word.toLowerCase() : toExpression(pattern, '[\\s\\S]*').test(word)
  })
}

function toExpression(pattern: string, wildcard: string): RegExp {
  const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${pattern.split(EVERYTHING).map(literal).join(wildcard)}$`)
}
