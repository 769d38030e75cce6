// The process that uses a server's API, so that the one with the pool does nothing but answer. Started with the server's
// address as its only argument.
import { Agent, get } from 'node:http'
import { Listener } from './listener.ts'
import type { Asked, Command, Report } from './messages.ts'

/** What `wellpool top` asks, in turn. */
const ROUTES = ['/api/v1/pools', '/api/v1/connections', '/api/v1/events?limit=200&names=connectFailed,rebuildMarked,rebuildCompleted']
/** Of so many requests one is for a timeline, as if a dashboard was opened, */
const TIMELINE_EVERY = 20
/** and one for the metrics. */
const METRICS_EVERY = 200

const MAX_UNDER_WAY = 8

const url = process.argv[2] as string
const agent = new Agent({ keepAlive: true, maxSockets: MAX_UNDER_WAY })
let listeners: Listener[] = []
let asking: NodeJS.Timeout | undefined
let underWay = 0
let turn = 0
let answers = 0
let failed = 0
let answerMs: number[] = []
/** Looks whether what is waited for has come. */
let look = (): void => {}

process.on('message', (message) => void obey(message as Command))
// Whoever has started this process is gone.
process.on('disconnect', () => process.exit())

async function obey(command: Command): Promise<void> {
  if (command.do === 'warmUp') await warmUp(command.requests)
  else if (command.do === 'begin') await begin(command.rate, command.listeners)
  else await end(command.seq)
}

async function warmUp(requests: number): Promise<void> {
  for (let asked = 0; asked < requests; asked++) {
    ask(performance.now())
    await until(() => underWay < MAX_UNDER_WAY)
  }
  await until(() => underWay === 0)
  forget()
  tell({ kind: 'warm' })
}

function forget(): void {
  answers = 0
  failed = 0
  answerMs = []
}

async function begin(rate: number, count: number): Promise<void> {
  listeners = Array.from({ length: count }, () => new Listener(url, () => look()))
  await Promise.all(listeners.map(({ ready }) => ready))
  if (rate > 0) askAt(rate)
  tell({ kind: 'begun' })
}

/** Requests become due at this rate, whether or not earlier ones have been answered; each counts from when it was due. */
function askAt(rate: number): void {
  const start = performance.now()
  let issued = 0
  asking = setInterval(() => {
    for (; issued < (rate * (performance.now() - start)) / 1000; issued++) ask(start + (issued * 1000) / rate)
  }, 1)
}

function ask(due: number): void {
  underWay++
  const ended = (good: boolean): void => {
    underWay--
    if (good) answers++
    else failed++
    answerMs.push(performance.now() - due)
    look()
  }
  const request = get(`${url}${nextRoute()}`, { agent }, (response) => {
    response.resume().on('end', () => ended(response.statusCode === 200))
  })
  request.on('error', () => ended(false))
}

function nextRoute(): string {
  turn++
  if (turn % METRICS_EVERY === 0) return '/metrics'
  return turn % TIMELINE_EVERY === 0 ? '/api/v1/pools/subject/timeline' : (ROUTES[turn % ROUTES.length] as string)
}

async function end(seq: number): Promise<void> {
  clearInterval(asking)
  await until(() => underWay === 0 && listeners.every((listener) => listener.seq >= seq))
  const asked: Asked = { answers, failed, answerMs, toldMs: listeners.flatMap(({ toldMs }) => toldMs) }
  for (const listener of listeners) listener.close()
  forget()
  tell({ kind: 'ended', asked })
}

function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    look = () => {
      if (!condition()) return
      look = () => {}
      resolve()
    }
    look()
  })
}

function tell(report: Report): void {
  process.send?.(report)
}
