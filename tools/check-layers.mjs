// Checks who imports whom in packages/wellpool/src, by the table in layers.mjs.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { CONTRACT, ENGINE_ROWS, FOLDERS } from './layers.mjs'

/** @typedef {{ rows: string[][], contract: string[], folders: Record<string, { peers: boolean, shared?: boolean, on?: string[] }> }} Rules */

/** @returns the source without its comments, in which nothing is imported. */
const withoutComments = (/** @type {string} */ source) => source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')

/**
 * All module names that a file imports or exports from, types and `import('…')` included.
 *
 * @param {string} source
 */
export function importsOf(source) {
  const statements = withoutComments(source).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"\s]+)['"]/g)
  return [...statements].map((match) => /** @type {string} */ (match[1]))
}

/**
 * Checks one tree of sources.
 *
 * @param {string} root the folder with `index.ts`, `engine/` and the other folders
 * @param {Rules} rules
 * @returns {string[]} what is wrong, one line each; empty if nothing is
 */
export function checkLayers(root, rules) {
  /** @type {string[]} */
  const problems = []
  /** @type {Map<string, number>} */
  const rowOf = new Map()
  rules.rows.forEach((row, index) => {
    for (const name of row) {
      if (rowOf.has(name)) problems.push(`engine/${name}.ts stands in two rows of the table`)
      if (!existsSync(path.join(root, 'engine', `${name}.ts`))) problems.push(`the table names engine/${name}.ts, which does not exist`)
      rowOf.set(name, index + 1)
    }
  })

  for (const file of sourcesIn(root)) {
    const source = readFileSync(path.join(root, file), 'utf8')
    const targets = importsOf(source).map((name) => ({ name, target: resolve(file, name) }))
    const [folder] = file.includes('/') ? file.split('/') : [undefined]
    if (folder === undefined) problems.push(...checkTopFile(file, source))
    else if (folder === 'engine') problems.push(...checkEngineFile(file, targets, rowOf))
    else problems.push(...checkFolderFile(file, folder, targets, rules))
  }
  return problems
}

/**
 * @param {string} file
 * @param {string} source
 */
function checkTopFile(file, source) {
  const rest = withoutComments(source).replace(/\bexport\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+'[^']+';?/g, '')
  return rest.trim() === '' ? [] : [`${file} does more than export from other files: ${rest.trim().split('\n')[0]}`]
}

/**
 * @param {string} file
 * @param {{ name: string, target: string | undefined }[]} targets
 * @param {Map<string, number>} rowOf
 */
function checkEngineFile(file, targets, rowOf) {
  const own = path.posix.basename(file, '.ts')
  const row = rowOf.get(own)
  if (row === undefined || file !== `engine/${own}.ts`) return [`${file} is in no row: add it to ENGINE_ROWS in tools/layers.mjs`]
  /** @type {string[]} */
  const problems = []
  for (const { name, target } of targets) {
    if (target === undefined) {
      if (!name.startsWith('node:')) problems.push(`${file} imports ${name}: the engine depends on no package`)
    } else if (!target.startsWith('engine/')) {
      problems.push(`${file} imports ${target}: the engine knows nothing outside its folder`)
    } else {
      const other = rowOf.get(path.posix.basename(target, '.ts'))
      if (other !== undefined && other >= row)
        problems.push(`${file} (row ${row}) imports ${target} (row ${other}): only lower rows are allowed`)
    }
  }
  return problems
}

/**
 * @param {string} file
 * @param {string} folder
 * @param {{ name: string, target: string | undefined }[]} targets
 * @param {Rules} rules
 */
function checkFolderFile(file, folder, targets, rules) {
  const rule = rules.folders[folder]
  if (rule === undefined) return [`${file} is in a folder without a rule: add ${folder} to FOLDERS in tools/layers.mjs`]
  /** @type {string[]} */
  const problems = []
  for (const { target } of targets) {
    if (target === undefined || target === 'index.ts') continue
    const [otherFolder] = target.split('/')
    if (otherFolder === 'engine') {
      const allowed = rules.contract.includes(path.posix.basename(target, '.ts'))
      if (!allowed) problems.push(`${file} imports ${target}: outside the engine only the contract is known (CONTRACT in tools/layers.mjs)`)
    } else if (otherFolder !== folder) {
      if (otherFolder !== undefined && rules.folders[otherFolder]?.shared === true) continue
      if (rule.on?.includes(/** @type {string} */ (otherFolder)) && isEntry(target)) continue
      problems.push(`${file} imports ${target}: folders do not know each other`)
    } else if (!rule.peers && unitOf(file) !== unitOf(target)) {
      problems.push(`${file} imports ${target}: ${folder} never import each other`)
    }
  }
  return problems
}

/** `drivers/ssh.ts`, `drivers/ssh-channel.ts` and `drivers/ssh/…` are all `ssh`. */
const unitOf = (/** @type {string} */ file) => file.split('/')[1]?.replace(/\.ts$/, '').split('-')[0]

/** Whether a file is the one that gives its unit the name. */
const isEntry = (/** @type {string} */ file) => file.split('/').length === 2 && file.endsWith(`/${unitOf(file)}.ts`)

/**
 * @param {string} file
 * @param {string} name
 * @returns the file that is meant, seen from the root; undefined for a package
 */
function resolve(file, name) {
  return name.startsWith('.') ? path.posix.join(path.posix.dirname(file), name) : undefined
}

/** @param {string} root */
function sourcesIn(root) {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll(path.sep, '/'))
    .filter((file) => file.endsWith('.ts'))
    .sort()
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = fileURLToPath(new URL('../packages/wellpool/src', import.meta.url))
  const problems = checkLayers(root, { rows: ENGINE_ROWS, contract: CONTRACT, folders: FOLDERS })
  for (const problem of problems) console.error(problem)
  console.log(problems.length === 0 ? 'layers: in order' : `layers: ${problems.length} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
