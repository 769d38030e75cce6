/** Makes one request; rejects if it fails. */
export type MakeRequest = () => Promise<unknown>

/** What a load came to. */
export interface Loaded {
  readonly requests: number
  readonly failed: number
  /** Requests answered in a second. */
  readonly throughput: number
  /** From when a request was due, ms. */
  readonly latencies: readonly number[]
  /** Of this process, for each request, µs. */
  readonly cpu: number
  readonly seconds: number
}

/** At full load: so many callers, each with its next request as soon as the last has ended, for so long. */
export function loadFully(request: MakeRequest, callers: number, ms: number): Promise<Loaded> {
  return measured(async (record) => {
    const end = performance.now() + ms
    const call = async (): Promise<void> => {
      for (let due = performance.now(); due < end; due = performance.now()) await record(due, request())
    }
    await Promise.all(Array.from({ length: callers }, call))
  })
}

/**
 * At a given rate, requests a second, for so long: those of a millisecond become due together, whether or not earlier
 * ones have been answered, and each counts from when it was due. So nothing hides by waiting.
 */
export function loadAtRate(request: MakeRequest, rate: number, ms: number): Promise<Loaded> {
  return measured(
    (record) =>
      new Promise((resolve, reject) => {
        const start = performance.now()
        let issued = 0
        // Counted and not kept: thousands of promises that live for a second would have to be collected in the middle of it.
        // One is for the time in which more are to come.
        let underWay = 1
        const ended = (): void => {
          if (--underWay === 0) resolve()
        }
        const issueDue = (): void => {
          const passed = Math.min(ms, Math.floor(performance.now() - start))
          while (issued < Math.floor((rate * passed) / 1000)) {
            const due = start + Math.ceil((++issued * 1000) / rate)
            underWay++
            record(due, request()).then(ended, reject)
          }
          if (passed < ms) setTimeout(issueDue, 1)
          else ended()
        }
        issueDue()
      }),
  )
}

async function measured(run: (record: (due: number, request: Promise<unknown>) => Promise<void>) => Promise<void>): Promise<Loaded> {
  const latencies: number[] = []
  let failed = 0
  const record = async (due: number, request: Promise<unknown>): Promise<void> => {
    try {
      await request
    } catch {
      failed++
    }
    latencies.push(performance.now() - due)
  }
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  await run(record)
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  const requests = latencies.length
  return {
    requests,
    failed,
    throughput: (requests - failed) / seconds,
    latencies,
    cpu: (user + system) / requests,
    seconds,
  }
}
