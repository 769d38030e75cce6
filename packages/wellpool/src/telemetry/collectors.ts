import type { MetricsCollector } from '../index.ts'

const METHODS = [
  'acquired',
  'acquireFailed',
  'released',
  'connected',
  'connectFailed',
  'checked',
  'secondOpinion',
  'closed',
  'rebuildMarked',
  'rebuildStarted',
  'rebuildCompleted',
  'rebuildFailed',
] as const satisfies readonly (keyof MetricsCollector)[]

type Method = (...measurement: unknown[]) => void

/**
 * One collector for several: a pool takes one. A measurement that only one of them wants goes to it directly, and
 * one that none of them wants is not taken. What one of them throws keeps nothing from the others; the pool's logger
 * hears of the first fault.
 *
 * @param collectors those that are undefined are left out
 * @example
 * const pool = createPool(driver, { metrics: combineCollectors(prometheus(), openTelemetry()) })
 */
export function combineCollectors(...collectors: readonly (MetricsCollector | undefined)[]): MetricsCollector {
  const present = collectors.filter((collector) => collector !== undefined)
  const combined: Record<string, Method> = {}
  for (const name of METHODS) {
    const methods = present.flatMap((collector) => {
      const method = collector[name] as Method | undefined
      return method === undefined ? [] : [method.bind(collector)]
    })
    const [first] = methods
    if (first !== undefined) combined[name] = methods.length === 1 ? first : (...measurement) => callAll(methods, measurement)
  }
  return combined
}

function callAll(methods: readonly Method[], measurement: unknown[]): void {
  let fault: { readonly error: unknown } | undefined
  for (const method of methods) {
    try {
      method(...measurement)
    } catch (error) {
      fault ??= { error }
    }
  }
  if (fault !== undefined) throw fault.error
}
