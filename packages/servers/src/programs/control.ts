import { once } from 'node:events'
import { createServer } from 'node:http'

/** What a server can be told from outside, by name. */
export type Commands = Readonly<Record<string, (argument: string) => unknown>>

/**
 * Takes commands on a port of its own, beside the protocol that the program serves: `/name?argument`, answered
 * with the command's result as JSON. `/pid` is known without being given; an answer to it means that the program is ready.
 */
export async function serveControl(port: number, commands: Commands): Promise<void> {
  const known: Commands = { pid: () => process.pid, ...commands }
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const command = known[url.pathname.slice(1)]
    const answer = async (): Promise<unknown> => command?.(decodeURIComponent(url.search.slice(1)))
    answer().then(
      (result) => response.writeHead(command === undefined ? 404 : 200).end(JSON.stringify(result ?? null)),
      (error: Error) => response.writeHead(500).end(error.stack),
    )
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

/** What the program was started with. */
export function settings<T>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T
}
