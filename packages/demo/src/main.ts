import { runCommand } from '../../../tools/command.ts'
import { type Arguments, parseArguments, USAGE } from './arguments.ts'
import { Demo } from './demo.ts'
import { type Display, LineDisplay, TerminalDisplay } from './display.ts'
import { type Endpoint, startEmbedded, useForeign } from './endpoint.ts'
import { Journal } from './journal.ts'
import { startRouter } from './router.ts'
import { isGood, summarise } from './summary.ts'
import { messageOf, toText } from './text.ts'

/** Once everything is closed the process ends by itself; if it does not within this, something was left. ms */
const END_LIMIT_MS = 5_000

const { stdin, stdout } = process
await runCommand(USAGE, parseArguments, main)

/** @returns the exit code */
async function main({ lastsMs, port }: Arguments): Promise<number> {
  const display = makeDisplay()
  let demo: Demo | undefined
  let unread = false
  // Nobody reads on (`npm start | head`): there is nobody to show anything to.
  stdout.on('error', () => {
    unread = true
    demo?.quit()
  })
  // An error that nobody expected must not vanish with the second screen.
  process.on('uncaughtException', (error) => {
    display.end()
    console.error(error)
    process.exit(1)
  })
  const url = process.env.WELLPOOL_DEMO_POSTGRES_URL
  let endpoint: Endpoint | undefined
  let device: Awaited<ReturnType<typeof startRouter>> | undefined
  try {
    if (url === undefined) print('Starting PostgreSQL …')
    endpoint = url === undefined ? await startEmbedded() : await useForeign(url)
    device = await startRouter()
    demo = new Demo(endpoint, device, lastsMs, new Journal((entry) => display.tell(entry)))
    if (unread) demo.quit()
    return await runDemo(demo, port, display)
  } catch (error) {
    display.end()
    console.error(messageOf(error))
    return 1
  } finally {
    await device?.close()
    await endpoint?.close()
    watchTheEnd()
  }
}

async function runDemo(demo: Demo, port: number | undefined, display: Display): Promise<number> {
  await demo.start(port)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => demo.quit())
  display.begin(demo)
  const outcome = await demo.run()
  display.end()
  for (const line of summarise(outcome)) print(toText(line, Number.POSITIVE_INFINITY, stdout.isTTY && stdout.hasColors()))
  return isGood(outcome) ? 0 : 1
}

function makeDisplay(): Display {
  if (stdout.isTTY && process.env.TERM !== 'dumb') return new TerminalDisplay(stdout, stdin, () => process.exit(130))
  return new LineDisplay(print)
}

function print(line: string): void {
  stdout.write(`${line}\n`)
}

function watchTheEnd(): void {
  setTimeout(() => {
    console.error(`Something keeps the process open: ${process.getActiveResourcesInfo().join(', ')}`)
    process.exit(1)
  }, END_LIMIT_MS).unref()
}
