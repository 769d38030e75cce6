import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'

/**
 * Makes a folder hold what a fresh one holds, which is gone afterwards. Other processes may be reading it: at every
 * moment each file that both have is there, as the old one or the new one. Files that are the same are left alone.
 *
 * @param {string} fresh on the same disk
 * @param {string} folder
 */
export function putInPlace(fresh, folder) {
  mkdirSync(folder, { recursive: true })
  const [files, old] = [filesIn(fresh), new Set(filesIn(folder))]
  const changed = files.filter((file) => old.has(file) && !isSame(path.join(fresh, file), path.join(folder, file)))
  // New ones first: what refers to them is put there only afterwards.
  for (const file of [...files.filter((file) => !old.has(file)), ...changed]) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    renameSync(path.join(fresh, file), path.join(folder, file))
  }
  for (const file of files) old.delete(file)
  for (const file of old) rmSync(path.join(folder, file), { force: true })
  rmSync(fresh, { recursive: true, force: true })
}

/**
 * @param {string} folder
 * @returns {string[]} seen from the folder
 */
function filesIn(folder) {
  if (!existsSync(folder)) return []
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
}

/**
 * @param {string} one
 * @param {string} other
 */
function isSame(one, other) {
  return readFileSync(one).equals(readFileSync(other))
}
