/** Collects rows up to the limits of a pool. */
export class RowLimit {
  readonly rows: unknown[][] = []
  readonly #maxRows: number
  readonly #maxOutput: number
  #size = 0
  /** Whether there was more than fits. */
  truncated = false

  constructor(maxRows: number, maxOutput: number) {
    this.#maxRows = maxRows
    this.#maxOutput = maxOutput
  }

  /** How many rows to ask for at a time: one more than fits tells that there is more. */
  get wanted(): number {
    return Math.min(100, this.#maxRows - this.rows.length + 1)
  }

  /** Takes rows in. @returns whether more are wanted */
  take(rows: readonly (readonly unknown[])[]): boolean {
    for (const row of rows) {
      const values = row.map(toJsonValue)
      this.#size += JSON.stringify(values).length
      if (this.rows.length >= this.#maxRows || this.#size > this.#maxOutput) {
        this.truncated = true
        return false
      }
      this.rows.push(values)
    }
    return true
  }
}

/** A value that JSON can hold: bytes in base64, whole numbers that are too large as texts. */
export function toJsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Date || value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(toJsonValue)
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, item]) => [String(name), toJsonValue(item)]))
  if (value instanceof Set) return [...value].map(toJsonValue)
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toJsonValue(item)]))
}
