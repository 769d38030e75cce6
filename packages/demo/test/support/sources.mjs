// `node --import ./sources.mjs`: programs get the library's sources instead of what was built, which another test
// may be building just now.
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) register(import.meta.url)

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  const [, part] = /^wellpool(?:\/(.+))?$/.exec(specifier) ?? []
  if (!specifier.startsWith('wellpool') || (specifier !== 'wellpool' && part === undefined)) return nextResolve(specifier, context)
  const file = part === undefined ? 'index.ts' : part === 'testing' ? 'testing/index.ts' : `drivers/${part}.ts`
  return nextResolve(new URL(`../../../wellpool/src/${file}`, import.meta.url).href, context)
}
