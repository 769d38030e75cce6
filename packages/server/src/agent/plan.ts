import { isDeepStrictEqual } from 'node:util'
import { OPTION_NAMES, type PoolOptions } from 'wellpool'
import type { ReloadReport } from '../api/context.ts'
import type { AgentConfig, PoolConfig, ServerConfig } from '../config/config.ts'

/** What has to be done to get from one configuration to another. */
export type Plan = Omit<ReloadReport, 'applied'>

/** Compares two configurations. */
export function planReload(before: AgentConfig, after: AgentConfig): Plan {
  const names = [...after.pools.keys()]
  const both = names.flatMap((name) => {
    const [old, next] = [before.pools.get(name), after.pools.get(name)]
    return old === undefined || next === undefined ? [] : [{ name, change: changeOf(old, next) }]
  })
  const of = (wanted: Change): string[] => both.filter(({ change }) => change === wanted).map(({ name }) => name)
  return {
    added: names.filter((name) => !before.pools.has(name)),
    removed: [...before.pools.keys()].filter((name) => !after.pools.has(name)),
    replaced: of('replaced'),
    reconfigured: of('reconfigured'),
    unchanged: of('unchanged'),
    needsRestart: changedServer(before.server, after.server),
  }
}

type Change = 'replaced' | 'reconfigured' | 'unchanged'

function changeOf(old: PoolConfig, next: PoolConfig): Change {
  if (old.protocol !== next.protocol || old.driverFingerprint !== next.driverFingerprint) return 'replaced'
  return isDeepStrictEqual([old.options, old.execute], [next.options, next.execute]) ? 'unchanged' : 'reconfigured'
}

function changedServer(before: ServerConfig, after: ServerConfig): string[] {
  return Object.keys(after)
    .filter((name) => !isDeepStrictEqual(before[name as keyof ServerConfig], after[name as keyof ServerConfig]))
    .map((name) => `server.${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`)
}

/** Options that a pool is made with and keeps. */
const KEPT = ['name', 'clock', 'random', 'logger', 'metrics']

/** All options of a pool, so that those that are not in the file any more are the defaults again. */
export function completeOptions(options: PoolOptions): PoolOptions {
  const nothing = Object.fromEntries(OPTION_NAMES.filter((name) => !KEPT.includes(name)).map((name) => [name, undefined]))
  return { ...nothing, ...options, backoff: { base: undefined, max: undefined, maxWhileWaited: undefined, ...options.backoff } }
}
