import type { CDPSession, Page } from 'playwright-core'

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  /** µs since some time. */
  readonly ts: number
  /** µs of the wall. */
  readonly dur?: number
  /** µs that the thread had a processor. */
  readonly tdur?: number
  readonly args?: { readonly name?: string }
}

/** How long the longest tasks of the page's main thread took, ms. */
export interface Tasks {
  /** On the clock: what other processes took of the machine is in it. */
  readonly longest: number
  /** On the processor: what the page itself took, and what a neighbour made it wait for caches and memory. */
  readonly longestCpu: number
  /**
   * The longest on the processor of each second; the middle one of them. What the page does every second is in it; what
   * the machine did to one task is not: on one with neighbours that doubles a task now and then.
   */
  readonly usualLongestCpu: number
  readonly count: number
}

/** Traces the tasks of a page's main thread while something goes on. */
export async function traceTasks(page: Page, during: () => Promise<void>): Promise<Tasks> {
  const session = await page.context().newCDPSession(page)
  const pid = await rendererOf(session)
  const events: TraceEvent[] = []
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])))
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', '__metadata', 'disabled-by-default-devtools.timeline'] },
  })
  await during()
  const complete = new Promise<void>((resolve) => session.once('Tracing.tracingComplete', () => resolve()))
  await session.send('Tracing.end')
  await complete
  await session.detach()
  const mains = events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
  const tasks = events.filter(
    ({ name, ph, pid: process, tid }) =>
      name.endsWith('RunTask') &&
      ph === 'X' &&
      mains.some((main) => main.pid === process && main.tid === tid) &&
      (pid === undefined || process === pid),
  )
  const onClock = tasks.map(({ dur = 0 }) => dur / 1000)
  const onProcessor = tasks.map(({ tdur = 0 }) => tdur / 1000)
  return {
    longest: Math.max(...onClock),
    longestCpu: Math.max(...onProcessor),
    usualLongestCpu: middle(longestPerSecond(tasks)),
    count: tasks.length,
  }
}

/** The process of the page, where the browser tells. Others (of other tests) have main threads too. */
async function rendererOf(session: CDPSession): Promise<number | undefined> {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo').catch(() => ({ processInfo: [] }))
  const renderers = processInfo.filter(({ type }) => type === 'renderer')
  return renderers.length === 1 ? renderers[0]?.id : undefined
}

function longestPerSecond(tasks: readonly TraceEvent[]): number[] {
  const longest = new Map<number, number>()
  const startedAt = Math.min(...tasks.map(({ ts }) => ts))
  for (const { ts, tdur = 0 } of tasks) {
    const second = Math.floor((ts - startedAt) / 1_000_000)
    longest.set(second, Math.max(longest.get(second) ?? 0, tdur / 1000))
  }
  return [...longest.values()]
}

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
