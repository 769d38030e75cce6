/**
 * The program of a guard: a process between this one and a server, which outlives this one by as long as it takes
 * to end the server and remove its folders. Only another process can do that after a crash or a `kill -9`.
 *
 * It is a text, run by `node -e`, because it must run in plain Node, wherever this module was bundled into.
 *
 * Arguments: a JSON list of the folders to remove, and the signal that ends the server at once.
 * It hears `{ run: { command, args, cwd, env, uid, gid, log } }` and `{ signal }`, and tells `{ spawned: pid }`,
 * `{ failed: message }` and `{ exited: how }`. When the channel closes, it cleans up and ends.
 */
export const GUARD_SOURCE = `
const { spawn } = require('node:child_process')
const { closeSync, openSync, rmSync } = require('node:fs')

const folders = JSON.parse(process.argv[1])
const endSignal = process.argv[2]
let server

// A Ctrl-C reaches every process of the terminal. The guard ends when its owner has ended, not before.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})

process.on('message', (message) => {
  if (message.run) run(message.run)
  else server?.kill(message.signal)
})

process.on('disconnect', () => {
  if (server === undefined) finish()
  server.kill(endSignal)
  setTimeout(() => server?.kill('SIGKILL'), 5000)
})

function run({ command, args, log, ...options }) {
  const output = openSync(log, 'a')
  server = spawn(command, args, { ...options, stdio: ['ignore', output, output] })
  closeSync(output)
  server.on('spawn', () => tell({ spawned: server.pid }))
  server.on('error', (error) => {
    if (server.pid === undefined) ended({ failed: error.message })
  })
  server.on('exit', (code, signal) => ended({ exited: signal ?? 'code ' + code }))
}

function ended(message) {
  server = undefined
  if (process.connected) tell(message)
  else finish()
}

function tell(message) {
  // The owner may end while this is written; 'disconnect' follows and cleans up.
  process.send(message, () => {})
}

function finish() {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  process.exit()
}
`
