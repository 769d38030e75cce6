/**
 * The engine's files in rows: a file imports only from rows above its own (types included), so there are no
 * cycles and each file can be understood from those above it. Add a new file to the first row that fits.
 */
export const ENGINE_ROWS = [
  ['abort-listeners', 'clock', 'connection-state', 'linked-list', 'logger', 'nearest', 'reason', 'recent-times', 'redact', 'backoff'],
  ['duration', 'metrics', 'rebuild-result', 'wait-queue', 'connection', 'wake-detector'],
  ['errors', 'events', 'records', 'idle-store', 'pool-types'],
  ['options', 'lease'],
  ['resolve-options'],
  ['driver', 'limits', 'use'],
  ['core'],
  ['closer', 'panic', 'leak-detector', 'waiting-call'],
  ['client-check', 'connector'],
  ['health-monitor', 'rebuild-task'],
  ['rebuild-queue', 'rebuild-report'],
  ['rebuild-manager', 'upkeep', 'second-opinions'],
  ['planner'],
  ['engine'],
  ['lending', 'lifecycle', 'manual-rebuilds', 'stats'],
  ['pool'],
  ['create-pool'],
  ['pools'],
]

/** The engine's files that drivers and test tools may import beside `index.ts`: the contract, not the machinery. */
export const CONTRACT = ['clock', 'connection-state', 'driver', 'duration', 'errors', 'options', 'reason', 'records', 'redact']

/**
 * The library's folders beside the engine. `peers: false` means that the files named alike (`ssh.ts`,
 * `ssh-channel.ts`, `ssh/…`) are one unit, and units never import each other. `shared: true` means that all the
 * other folders may import from it: what several drivers or adapters would otherwise copy, and what is about no
 * protocol. `on` names the folders whose entry files (`drivers/ssh.ts`, which gives its unit the name, and no
 * other) they may build on.
 */
export const FOLDERS = {
  adapters: { peers: false, on: ['drivers'] },
  drivers: { peers: false },
  shared: { peers: true, shared: true },
  telemetry: { peers: false },
  testing: { peers: true },
}
