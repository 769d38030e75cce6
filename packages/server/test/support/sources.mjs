// `node --import ./sources.mjs`: programs get the library's sources instead of what was built, which another test
// may be building just now.
import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) register(import.meta.url)

const library = new URL('../../../wellpool/', import.meta.url)
const { exports } = JSON.parse(readFileSync(new URL('package.json', library), 'utf8'))

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  const built = /^wellpool(\/|$)/.test(specifier) ? exports[specifier.replace('wellpool', '.')]?.default : undefined
  if (built === undefined) return nextResolve(specifier, context)
  const source = built.replace('./dist/', 'src/').replace(/\.js$/, '.ts')
  return nextResolve(new URL(source, library).href, context)
}
