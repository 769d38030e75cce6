import type { Client } from './client.ts'
import type { Configuration, Connection, EventPage, Job, Pool, PoolStats, Sample, Session } from './contract.ts'

/** What is to be rebuilt. */
export type RebuildTarget =
  | { readonly kind: 'connection'; readonly name: string; readonly urgent: boolean }
  | { readonly kind: 'pool'; readonly name: string; readonly all: boolean }
  | { readonly kind: 'all'; readonly all: boolean }

/** Whoever hangs up cancels what has not begun, and a page may be closed: so rebuilds are asked for as jobs. */
const AS_A_JOB = { prefer: 'respond-async' }

/** The calls of the API that this page makes. */
export class Calls {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  session(): Promise<Session> {
    return this.#client.request('GET', 'session')
  }

  async pools(): Promise<readonly Pool[]> {
    return (await this.#client.request<{ pools: Pool[] }>('GET', 'pools')).pools
  }

  async connections(): Promise<readonly Connection[]> {
    return (await this.#client.request<{ connections: Connection[] }>('GET', 'connections')).connections
  }

  async timeline(pool: string): Promise<readonly Sample[]> {
    return (await this.#client.request<{ samples: Sample[] }>('GET', `pools/${encodeURIComponent(pool)}/timeline`)).samples
  }

  events(limit: number): Promise<EventPage> {
    return this.#client.request('GET', `events?limit=${limit}`)
  }

  eventsOf(connectionId: string, limit: number): Promise<EventPage> {
    return this.#client.request('GET', `events?connectionId=${encodeURIComponent(connectionId)}&limit=${limit}`)
  }

  configuration(): Promise<Configuration> {
    return this.#client.request('GET', 'config')
  }

  rebuild(target: RebuildTarget): Promise<Job> {
    const body = target.kind === 'connection' ? { urgent: target.urgent } : { all: target.all }
    return this.#client.request('POST', pathOf(target), { body, headers: AS_A_JOB })
  }

  async jobs(): Promise<readonly Job[]> {
    return (await this.#client.request<{ jobs: Job[] }>('GET', 'jobs')).jobs
  }

  job(id: string): Promise<Job> {
    return this.#client.request('GET', `jobs/${encodeURIComponent(id)}`)
  }

  cancelJob(id: string): Promise<Job> {
    return this.#client.request('DELETE', `jobs/${encodeURIComponent(id)}`)
  }

  pause(pool: string, failWaiting: boolean): Promise<PoolStats> {
    return this.#client.request('POST', `pools/${encodeURIComponent(pool)}/pause`, { body: { failWaiting } })
  }

  resume(pool: string): Promise<PoolStats> {
    return this.#client.request('POST', `pools/${encodeURIComponent(pool)}/resume`)
  }

  evict(pool: string, interruptInUse: boolean): Promise<PoolStats> {
    return this.#client.request('POST', `pools/${encodeURIComponent(pool)}/evict`, { body: { interruptInUse } })
  }

  /** What happens, as server-sent events. @param after begins behind this event */
  stream(after: number | undefined, signal: AbortSignal): Promise<Response> {
    const headers = after === undefined ? {} : { 'last-event-id': String(after) }
    return this.#client.open('GET', 'events/stream?samples=true', { headers, signal })
  }
}

function pathOf(target: RebuildTarget): string {
  if (target.kind === 'all') return 'rebuild'
  return `${target.kind === 'pool' ? 'pools' : 'connections'}/${encodeURIComponent(target.name)}/rebuild`
}
