import type { Command } from 'commander'
import type { Driver } from 'wellpool'
import type { PoolConfig } from '../../config/config.ts'
import { loadConfig } from '../../config/load.ts'
import { mask } from '../../config/masking.ts'
import { withContext } from '../context.ts'
import { durationOf } from '../durations.ts'
import { EXIT } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { type Column, table } from '../table.ts'
import { duration } from '../text.ts'

/** What became of one target. */
interface Tried {
  readonly pool: string
  readonly protocol: string
  readonly ok: boolean
  readonly connectMs?: number
  readonly checkMs?: number
  /** Where it failed. */
  readonly stage?: 'connect' | 'check'
  readonly error?: string
}

/** `wellpool check`: a file, and each target that it names. */
export function checkCommand(program: Command, io: Io): void {
  program
    .command('check')
    .argument('[file]', 'the configuration file', 'wellpool.yaml')
    .description('Check a configuration file, and try to reach each target that it names')
    .option('--no-connect', 'check the file, and try no target')
    .option('--timeout <duration>', 'the longest that one target may take: 500ms, 1m; a number alone is seconds', '10')
    .addHelpText(
      'after',
      '\nExamples:\n  wellpool check\n  wellpool check /etc/wellpool/wellpool.yaml --no-connect\n\nEnds with 2 if the file is wrong, with 5 if a target can’t be reached.',
    )
    .action((file: string, options: { connect: boolean; timeout: string }, command: Command) =>
      withContext(io, command, async (context) => {
        const timeoutMs = durationOf('--timeout', options.timeout, 's')
        const { pools } = await loadConfig(file, { env: io.env, tryFiles: true })
        const tried = options.connect ? await Promise.all([...pools.values()].map((pool) => tryTarget(pool, timeoutMs))) : []
        context.answer({ file, pools: [...pools.keys()], targets: tried }, () => [
          `${file} is right: ${pools.size} ${pools.size === 1 ? 'pool' : 'pools'}`,
          ...(tried.length === 0 ? [] : ['', ...table(tried, COLUMNS, context.paint)]),
        ])
        if (tried.some(({ ok }) => !ok)) io.exitCode = EXIT.unwell
      }),
    )
}

const COLUMNS: readonly Column<Tried>[] = [
  { title: '', value: ({ ok }) => (ok ? '+' : '!'), color: ({ ok }) => (ok ? 'green' : 'red') },
  { title: 'POOL', value: ({ pool }) => pool },
  { title: 'PROTOCOL', value: ({ protocol }) => protocol },
  { title: 'CONNECT', value: ({ connectMs }) => (connectMs === undefined ? '' : duration(connectMs)), right: true },
  { title: 'CHECK', value: ({ checkMs }) => (checkMs === undefined ? '' : duration(checkMs)), right: true },
  { title: 'PROBLEM', value: ({ stage, error }) => (error === undefined ? '' : `${stage} failed: ${error}`) },
]

/** Connects, checks and says goodbye, without a pool. */
async function tryTarget({ name, protocol, driver }: PoolConfig, timeoutMs: number): Promise<Tried> {
  const signal = AbortSignal.timeout(timeoutMs)
  const began = performance.now()
  let stage: 'connect' | 'check' = 'connect'
  let client: unknown
  try {
    client = await inTime(driver.connect({ signal, connectionId: `${name}-check`, attempt: 1 }), signal)
    // A client that is being tried may be lost at any moment: that shows in the check.
    driver.watch?.(client, { lost() {}, retire() {} })
    const connected = performance.now()
    stage = 'check'
    await inTime(driver.check(client, { signal }), signal)
    return { pool: name, protocol, ok: true, connectMs: connected - began, checkMs: performance.now() - connected }
  } catch (error) {
    const message = signal.aborted ? `nothing within ${duration(timeoutMs)}` : error instanceof Error ? error.message : String(error)
    return { pool: name, protocol, ok: false, stage, error: String(mask(message, driver.secrets?.() ?? [])) }
  } finally {
    if (client !== undefined) await goodbye(driver, client)
  }
}

async function goodbye(driver: Driver<unknown>, client: unknown): Promise<void> {
  try {
    await inTime(driver.close(client), AbortSignal.timeout(2000))
  } catch {
    driver.destroy(client)
  }
}

/** Whatever a driver makes of the signal, the time is kept. */
function inTime<Result>(promise: Result, signal: AbortSignal): Promise<Awaited<Result>> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    Promise.resolve(promise).then(resolve, reject)
  })
}
