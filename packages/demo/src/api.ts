import { createServer, type WellpoolServer } from '@wellpool/server'
import type { Pools } from 'wellpool'

/** Where the demo's pools can be seen and steered from outside. */
export interface ApiAddress {
  /** `'http://127.0.0.1:7710'`. */
  readonly url: string
  /** Whether the dashboard is there, or the API alone. */
  readonly hasDashboard: boolean
}

/** Where the command `wellpool` looks if it is not told otherwise. */
const USUAL_PORT = 7710

/** The HTTP API of the demo's pools, for this machine alone. */
export class Api implements ApiAddress {
  readonly url: string
  readonly #server: WellpoolServer

  private constructor(server: WellpoolServer, url: string) {
    this.#server = server
    this.url = url
  }

  /**
   * Begins to listen.
   *
   * @param port 0: any free one; undefined: 7710 if it is free, otherwise any
   * @throws Error when the port that was asked for is taken
   */
  static async start(pools: Pools, port: number | undefined): Promise<Api> {
    const server = createServer(pools)
    try {
      return new Api(server, await listen(server, port))
    } catch (error) {
      await server.close()
      throw isTaken(error) ? new Error(`--port ${port}: something listens there already`, { cause: error }) : error
    }
  }

  get hasDashboard(): boolean {
    return this.#server.hasDashboard
  }

  close(): Promise<void> {
    return this.#server.close()
  }
}

async function listen(server: WellpoolServer, port: number | undefined): Promise<string> {
  if (port !== undefined) return server.listen({ port })
  try {
    return await server.listen({ port: USUAL_PORT })
  } catch (error) {
    // An agent may be running, or another demo.
    if (isTaken(error)) return server.listen({ port: 0 })
    throw error
  }
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
}

/** What is there: `'dashboard http://127.0.0.1:7710'`. */
export function whatIsServed({ url, hasDashboard }: ApiAddress): string {
  return hasDashboard ? `dashboard ${url}` : `API ${url}/api/v1`
}

/** What to type, in the repository's folder, to see the pools on another terminal. */
export function topCommand({ url }: ApiAddress): string {
  return `npx wellpool top --url ${url}`
}
