import { parseDuration } from 'wellpool'
import type { ExecuteRules } from './config.ts'
import type { Path } from './document.ts'
import type { Loading } from './pools.ts'
import { checkSection } from './section-check.ts'
import { ExecuteSection } from './sections.ts'

/** Protocols over which something can be run, and whether their servers can be told to refuse changes. */
export const EXECUTABLE: Readonly<Record<string, { readonly canReadOnly: boolean }>> = {
  mysql: { canReadOnly: true },
  postgres: { canReadOnly: true },
  redis: { canReadOnly: true },
  ssh: { canReadOnly: false },
}

const DEFAULTS = { timeout: '30s', maxOutput: 1_048_576, maxRows: 1000 } as const

/** A duration in ms; undefined for what is none that ends. */
export function finiteDuration(value: string | number): number | undefined {
  const ms = typeof value === 'string' ? parseDuration(value) : value
  return ms !== undefined && ms >= 1 && ms <= 2 ** 31 - 1 ? ms : undefined
}

/** The section `execute` of a pool. @returns undefined when something of it is wrong */
export function executeRules(values: unknown, protocol: string | undefined, path: Path, { problems }: Loading): ExecuteRules | undefined {
  const wrong = checkSection(ExecuteSection, values, path as readonly string[])
  problems.push(...wrong)
  if (wrong.length > 0) return undefined
  const section = values as ExecuteSection
  const timeoutMs = finiteDuration(section.timeout ?? DEFAULTS.timeout)
  if (timeoutMs === undefined) {
    problems.push({
      path: [...path, 'timeout'],
      given: String(section.timeout),
      allowed: "a duration (ms, or text such as '30s') from 1 ms up to 24 days",
    })
  }
  const executable = protocol === undefined ? undefined : EXECUTABLE[protocol]
  if (protocol !== undefined && executable === undefined) {
    problems.push({ path, given: `a section for ${protocol}`, allowed: `pools of ${Object.keys(EXECUTABLE).join(', ')}` })
  }
  const readOnly = section.read_only ?? executable?.canReadOnly ?? false
  if (readOnly && executable?.canReadOnly === false) {
    problems.push({
      path: [...path, 'read_only'],
      given: 'true',
      allowed: `false: ${protocol} can't refuse changes by itself; list the commands in allow`,
    })
  }
  if (timeoutMs === undefined || executable === undefined) return undefined
  const { maxOutput, maxRows } = DEFAULTS
  return { allow: section.allow, readOnly, timeoutMs, maxOutput: section.max_output ?? maxOutput, maxRows: section.max_rows ?? maxRows }
}
