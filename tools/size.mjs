// Holds the engine to its size budget: src/index.ts, bundled, minified and compressed.
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { root } from './bootstrap.mjs'

/**
 * What is allowed. The first plan was 20 kB, which this engine cannot reach by writing it more tersely: with every
 * property named by one letter it would still have 23.4 kB, and with no text that tells people what is wrong 22.0.
 */
const BUDGET = 26_220

const { outputFiles } = await build({
  entryPoints: [path.join(root, 'packages/wellpool/src/index.ts')],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  write: false,
})
const [bundle] = outputFiles
if (bundle === undefined) throw new Error('esbuild wrote no bundle')
const size = gzipSync(bundle.contents, { level: 9 }).length
const kB = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(1)} kB`
console.log(`engine: ${kB(size)} of ${kB(BUDGET)} (minified, gzip; ${kB(bundle.contents.length)} before gzip)`)
if (size > BUDGET) {
  console.error(`the engine is ${size - BUDGET} bytes over its budget`)
  process.exitCode = 1
}
