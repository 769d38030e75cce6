import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, type ParsedNode, parseDocument, visit } from 'yaml'
import type { FileProblem } from './errors.ts'

/** Where something stands: the names of mappings and the places in lists that lead to it. */
export type Path = readonly (string | number)[]

/** A file that has been read: its values, and where each of them stands. */
export class ConfigDocument {
  readonly #document: Document.Parsed<ParsedNode>
  readonly #lines: LineCounter
  /** What cannot be read as YAML. With such problems there are no values. */
  readonly problems: readonly FileProblem[]

  /** @param text YAML, of which JSON is a part */
  constructor(text: string) {
    this.#lines = new LineCounter()
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      merge: true,
      prettyErrors: false,
      stringKeys: true,
      // The library compares each name with all before it: a file of many pools took minutes.
      uniqueKeys: false,
    })
    this.problems = [
      ...this.#document.errors.map(({ code, message, pos: [offset] }) =>
        code === 'MULTIPLE_DOCS'
          ? { ...this.#place(offset), path: '', given: 'a second document', allowed: 'one document in a file' }
          : this.#notYaml(offset, message),
      ),
      ...this.#repeatedNames(),
    ]
  }

  /** @throws Error when aliases would blow it up */
  values(): unknown {
    return this.#document.toJS({ maxAliasCount: 100 })
  }

  /** The place of a value's name, or of the nearest thing around it. */
  locate(path: Path): { line: number; column: number } {
    let node: unknown = this.#document.contents
    let offset = this.#offsetOf(node) ?? 0
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => (key as { value?: unknown } | null)?.value === step)
        if (pair === undefined) break
        offset = this.#offsetOf(pair.key) ?? offset
        node = pair.value
      } else if (isSeq(node) && typeof step === 'number') {
        node = node.items[step]
        offset = this.#offsetOf(node) ?? offset
      } else {
        break
      }
    }
    return this.#place(offset)
  }

  /** What stands in a mapping under a name that another has there. */
  #repeatedNames(): FileProblem[] {
    const problems: FileProblem[] = []
    visit(this.#document, {
      Map: (_, { items }) => {
        const names = new Set<unknown>()
        for (const { key } of items) {
          const name = isScalar(key) ? key.value : key
          if (names.has(name)) problems.push(this.#notYaml(this.#offsetOf(key) ?? 0, 'Map keys must be unique'))
          names.add(name)
        }
      },
    })
    return problems
  }

  #notYaml(offset: number, message: string): FileProblem {
    return { ...this.#place(offset), path: '', given: `what is not YAML: ${message}`, allowed: 'YAML or JSON' }
  }

  #offsetOf(node: unknown): number | undefined {
    return (node as Node | null | undefined)?.range?.[0]
  }

  #place(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
}
