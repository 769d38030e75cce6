// `node --import ./sources.mjs`: programs get the library's sources instead of what was built, which another test
// may be building just now.
import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) register(import.meta.url)

/** Each entry of a package that is built, with its source. @type {Map<string, string>} */
const sources = new Map(['wellpool', 'server'].flatMap(entriesOf))

/**
 * @param {string} name of a folder
 * @returns {[string, string][]}
 */
function entriesOf(name) {
  const folder = new URL(`../../../${name}/`, import.meta.url)
  /** @type {{ name: string, exports: Record<string, { default?: string }> }} */
  const manifest = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'))
  return Object.entries(manifest.exports).flatMap(([entry, { default: built }]) => {
    if (built === undefined) return []
    const source = built.replace('./dist/', 'src/').replace(/\.js$/, '.ts')
    return [[manifest.name + entry.slice(1), new URL(source, folder).href]]
  })
}

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  return nextResolve(sources.get(specifier) ?? specifier, context)
}
