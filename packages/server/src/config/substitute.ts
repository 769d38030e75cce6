import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Path } from './document.ts'

/** What `${…}` may refer to. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** What relative paths of `${file:…}` start from. */
  readonly folder: string
}

/** A problem with a value, by its path. */
export interface PathProblem {
  readonly path: Path
  readonly given: string
  readonly allowed: string
}

/** A tree in which the references have been replaced. */
export interface Substituted {
  readonly values: unknown
  /** Where values came from outside: these are never shown. By `key(path)`, with what stands in the file. */
  readonly references: ReadonlyMap<string, string>
  readonly problems: readonly PathProblem[]
}

/** A path as a key of a map. */
export const key = (path: Path): string => JSON.stringify(path)

const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g
const FORM = /^(?:file:(?<file>.+)|(?<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?<fallback>[\s\S]*))?)$/
const reference = (inner: string): string => `\${${inner}}`
const ALLOWED = `${reference('NAME')}, ${reference('NAME:-default')} or ${reference('file:/path')}, or two dollar signs for a plain one`

/**
 * Replaces `${NAME}`, `${NAME:-default}` and `${file:/path}` in all texts. What is put in is a text, whatever it looks
 * like: it can't add anything to the tree. `$${` stands for `${`.
 */
export function substitute(values: unknown, surroundings: Surroundings): Substituted {
  const references = new Map<string, string>()
  const problems: PathProblem[] = []
  /** What is being walked through: an alias can lead back to what it stands in. */
  const around = new Set<unknown>()
  const walk = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') return replaceIn(value, path)
    if (value === null || typeof value !== 'object') return value
    if (around.has(value)) {
      problems.push({ path, given: 'an alias of what it stands in', allowed: 'aliases of what stands above' })
      return null
    }
    around.add(value)
    const walked = Array.isArray(value)
      ? value.map((item, index) => walk(item, [...path, index]))
      : Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item, [...path, name])]))
    around.delete(value)
    return walked
  }
  const replaceIn = (text: string, path: Path): string =>
    text.replaceAll(REFERENCE, (found, expression: string | undefined) => {
      if (expression === undefined) return '${'
      references.set(key(path), text)
      const { file, name, fallback } = FORM.exec(expression)?.groups ?? {}
      if (file !== undefined) return read(file, path) ?? ''
      if (name === undefined) {
        problems.push({ path, given: `'${found}'`, allowed: ALLOWED })
        return ''
      }
      const value = surroundings.env[name]
      if (fallback !== undefined) return value === undefined || value === '' ? fallback : value
      if (value === undefined)
        problems.push({
          path,
          given: `'${found}', which is not set`,
          allowed: `a variable of the environment, or ${reference(`${name}:-default`)}`,
        })
      return value ?? ''
    })
  const read = (file: string, path: Path): string | undefined => {
    try {
      return readFileSync(resolve(surroundings.folder, file), 'utf8').replace(/\r?\n$/, '')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      problems.push({ path, given: `'${reference(`file:${file}`)}' (${code ?? 'unreadable'})`, allowed: 'a file that can be read' })
      return undefined
    }
  }
  return { values: walk(values, []), references, problems }
}
