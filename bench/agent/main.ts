// How much memory `wellpool serve` takes: node tools/run.mjs bench/agent/main.ts [seconds]
// Linux only: it reads /proc. docs/deployment.md has what it printed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort, startPostgres, startTcpServer } from '@wellpool/servers'

const COMMAND = fileURLToPath(new URL('../../packages/server/dist/cli/main.js', import.meta.url))
/** For how long it is left alone before it is looked at. */
const seconds = Number(process.argv[2] ?? 20)
if (!(seconds > 0)) throw new Error(`${process.argv[2]} instead of a number of seconds above 0`)

const folder = mkdtempSync(path.join(tmpdir(), 'wellpool-memory-'))
const [database, peer] = await Promise.all([startPostgres(), startTcpServer({ framing: 'line' })])
const many = (count: number, options: string): string =>
  Array.from({ length: count }, (_, n) => `  router-${n}: { tcp: { port: ${peer.port}, probe: ping }, ${options} }\n`).join('')

console.log(`Node ${process.versions.node}, after ${seconds} s without requests`)
try {
  await measure('no pool', '', 0)
  await measure('1 pool, 10 connections to PostgreSQL', `  db: { postgres: "${database.url}", min_connections: 10 }\n`, 10)
  await measure('500 pools, no connection', many(500, 'min_connections: 0'), 0)
  await measure('500 pools, 500 connections over TCP', many(500, 'min_connections: 1, max_connections: 1'), 500)
} finally {
  await Promise.all([database.close(), peer.close()])
  rmSync(folder, { recursive: true })
}

/** Starts an agent with these pools, waits until it has so many connections and some time more, and looks at it. */
async function measure(what: string, pools: string, connections: number): Promise<void> {
  const port = await freePort()
  const file = path.join(folder, 'wellpool.yaml')
  writeFileSync(file, `server: { port: ${port} }\n${pools === '' ? '' : `pools:\n${pools}`}`)
  const agent = spawn(process.execPath, [COMMAND, 'serve', '--config', file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(agent, 'exit')
  try {
    for await (const line of createInterface(agent.stdout)) if (line.includes('"listening"')) break
    agent.stdout.resume()
    while ((await total(port)) < connections) await delay(200)
    await delay(seconds * 1000)
    const status = readFileSync(`/proc/${agent.pid}/status`, 'utf8')
    // The rest are pages of files: most of them Node's own, which all its processes share.
    console.log(`${what}: ${mebibytes(status, 'VmRSS')} MiB resident, ${mebibytes(status, 'RssAnon')} MiB of it its own`)
  } finally {
    agent.kill('SIGTERM')
    await exited
  }
}

async function total(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/pools`)
  const { pools } = (await response.json()) as { pools: { stats: { total: number } }[] }
  return pools.reduce((sum, { stats }) => sum + stats.total, 0)
}

/** A figure of /proc/…/status, which has it in kB. */
function mebibytes(status: string, name: string): number {
  return Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024)
}
