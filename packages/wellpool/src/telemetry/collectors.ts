import type { MetricLabels, MetricsCollector } from '../index.ts'

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

type Method = (labels: MetricLabels, value: unknown, ms: unknown) => void

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
    if (methods.length > 0) combined[name] = methods.reduce(both)
  }
  return combined
}

/** Both, one after the other, whatever the first one throws. Two calls and no list: this is done at each lease. */
function both(first: Method, second: Method): Method {
  return (labels, value, ms) => {
    try {
      first(labels, value, ms)
    } catch (fault) {
      second(labels, value, ms)
      throw fault
    }
    second(labels, value, ms)
  }
}
