import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** A member of an interface. */
export interface Member {
  readonly name: string
  readonly optional: boolean
  /** Its comment, without the comment's signs. */
  readonly comment: string
  /** Its type as it stands. */
  readonly type: string
}

/**
 * Reads interfaces and types from sources: their members with comments. It knows how this repository is formatted,
 * and no more TypeScript than that.
 */
export class InterfaceReader {
  readonly #sources: readonly string[]

  /** @param folders are looked through, not their own folders */
  constructor(...folders: readonly string[]) {
    this.#sources = folders.flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.ts'))
        .map((name) => readFileSync(path.join(folder, name), 'utf8')),
    )
  }

  /** @returns the members, those that it extends first; undefined if there is no such interface */
  interface(name: string): Member[] | undefined {
    const pattern = new RegExp(`^(?:export )?interface ${name}(?:<[^{]*?>)?(?: extends ([^{]+))? \\{\n([\\s\\S]*?)^\\}`, 'm')
    for (const source of this.#sources) {
      const match = pattern.exec(source)
      if (match === null) continue
      const [, parents = '', body = ''] = match
      const inherited = parents
        .split(',')
        .map((parent) => parent.trim().replace(/<.*$/s, ''))
        .filter((parent) => parent !== '')
        .flatMap((parent) => this.interface(parent) ?? [])
      return [...inherited, ...membersOf(body)]
    }
    return undefined
  }

  /** @returns what a type alias stands for; undefined if there is none of this name */
  alias(name: string): string | undefined {
    const pattern = new RegExp(`^(?:export )?type ${name}(?:<[^=]*>)? =([\\s\\S]*?)(?=^\\S)`, 'm')
    for (const source of this.#sources) {
      const match = pattern.exec(`${source}\nend`)
      if (match !== null) return match[1]?.trim()
    }
    return undefined
  }
}

function membersOf(body: string): Member[] {
  const members: { name: string; optional: boolean; comment: string; type: string }[] = []
  let comment = ''
  let inComment = false
  for (const line of body.split('\n')) {
    const start = /^ {2}\/\*\*(.*?)(\*\/)?$/.exec(line)
    if (start !== null) {
      comment = start[1]?.trim() ?? ''
      inComment = start[2] === undefined
    } else if (inComment) {
      inComment = !line.trimEnd().endsWith('*/')
      comment += ` ${line
        .replace(/^\s*\*\/?/, '')
        .replace(/\*\/$/, '')
        .trim()}`
    } else {
      const member = /^ {2}(?:readonly )?(\w+)(\?)?:(.*)$/.exec(line)
      if (member !== null) {
        const [, name = '', mark, type = ''] = member
        members.push({ name, optional: mark === '?', comment: comment.replaceAll(/\s+/g, ' ').trim(), type: type.trim() })
        comment = ''
      } else if (/^ {4}/.test(line) || /^ {2}[)}\]]/.test(line)) {
        const last = members.at(-1)
        if (last !== undefined) last.type += ` ${line.trim()}`
      }
    }
  }
  return members
}
