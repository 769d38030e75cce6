// What `npm start`, `npm test` and their like do first, so that they work in a clone where nothing is
// installed. Only Node's own modules are used here: there may be no others yet.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The repository's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** Installs what package-lock.json asks for, unless it is there. */
export function ensureInstalled() {
  if (isInstalled(root)) return
  // `ci` removes what is there, which may be in use by another process; `install` repairs it.
  const command = existsSync(path.join(root, 'node_modules')) ? 'install' : 'ci'
  console.error(`Installing dependencies (npm ${command}) …`)
  // npm sets npm_execpath; without it (`node tools/test.mjs`) the one on PATH has to do.
  const npm = process.env.npm_execpath
  const args = [command, '--include=dev', '--include=optional', '--no-audit', '--no-fund']
  if (npm?.endsWith('.js')) runOrExit(process.execPath, [npm, ...args])
  else runOrExit('npm', args, process.platform === 'win32')
}

/**
 * Builds the folders `dist` of packages, those that are older than their sources.
 *
 * @param {...string} names of folders in packages; what is not there is left out
 */
export function ensureBuilt(...names) {
  const stale = names.filter((name) => isStale(path.join(root, 'packages', name)))
  if (stale.length === 0) return
  console.error(`Building ${stale.join(', ')} …`)
  runOrExit(process.execPath, [path.join(root, 'tools/build.mjs'), ...stale])
}

/**
 * Runs a program in this very process, so that its exit code, its signals and its terminal are its own.
 * TypeScript is translated on the way.
 *
 * @param {string} file seen from the repository's folder
 * @param {readonly string[]} args
 */
export async function run(file, args) {
  const program = path.join(root, file)
  if (program.endsWith('.ts')) await import('./typescript.mjs')
  process.argv = [process.execPath, program, ...args]
  if (process.env.npm_lifecycle_event !== undefined) endWithParent()
  await import(pathToFileURL(program).href)
}

/**
 * npm passes a SIGTERM on to the shell between itself and this process, and the shell dies of it without
 * passing it on. Without this a demo and its database would outlive the `npm start` that was ended.
 */
function endWithParent() {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, 200)
  timer.unref()
}

/**
 * Whether node_modules holds what package-lock.json asks for: npm keeps a copy of the lock file there that
 * says what it has installed.
 *
 * @param {string} folder
 */
export function isInstalled(folder) {
  const wanted = packagesOf(path.join(folder, 'package-lock.json'))
  const present = packagesOf(path.join(folder, 'node_modules/.package-lock.json'))
  if (wanted === undefined || present === undefined) return false
  return Object.entries(wanted).every(([name, { version, link, optional }]) => {
    const found = present[name]
    if (!name.includes('node_modules/')) return true
    // Optional ones are left out on platforms that they are not for.
    return found === undefined ? optional === true : found.version === version && found.link === link
  })
}

/** What stands in a package's folder and is not built into `dist`. */
const NO_SOURCE = /^(?:dist.*|node_modules|test|coverage|\.cache|LICENSE|.*\.md)$/

/**
 * Whether a package's folder `dist` is missing, or older than what it is built from.
 *
 * @param {string} folder the package's; without a package in it there is nothing to build
 */
export function isStale(folder) {
  if (!existsSync(path.join(folder, 'package.json'))) return false
  const built = path.join(folder, entryOf(folder))
  if (!existsSync(built)) return true
  const sources = readdirSync(folder).filter((name) => !NO_SOURCE.test(name))
  return Math.max(...sources.map((name) => newest(path.join(folder, name)))) > statSync(built).mtimeMs
}

/**
 * The file that is as old as the sources of what was built: a page's, or a library's.
 *
 * @param {string} folder the package's
 */
export function entryOf(folder) {
  return existsSync(path.join(folder, 'index.html')) ? 'dist/index.html' : 'dist/index.js'
}

/**
 * @param {string} lockFile
 * @returns {Record<string, { version?: string, link?: boolean, optional?: boolean }> | undefined}
 */
function packagesOf(lockFile) {
  return existsSync(lockFile) ? JSON.parse(readFileSync(lockFile, 'utf8')).packages : undefined
}

/**
 * @param {string} file or a folder, in which a removed file counts as well
 * @returns {number}
 */
function newest(file) {
  const stats = statSync(file)
  if (!stats.isDirectory()) return stats.mtimeMs
  return Math.max(stats.mtimeMs, ...readdirSync(file).map((name) => newest(path.join(file, name))))
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {boolean} [shell]
 */
function runOrExit(command, args, shell = false) {
  // What is said goes to stderr: stdout belongs to the program that is run afterwards.
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: ['inherit', 2, 'inherit'], shell })
  if (error !== undefined) throw error
  if (signal !== null) process.kill(process.pid, signal)
  if (status !== 0) process.exit(status ?? 1)
}
