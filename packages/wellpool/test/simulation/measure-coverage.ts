import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

/**
 * Runs the simulation of `npm test`, and nothing else, under V8's coverage and prints how much of each file of the
 * engine it reaches.
 *
 * @returns the exit code
 */
export function measureCoverage(): Promise<number> {
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    'packages/wellpool/test/simulation/simulation.test.ts',
    '--typecheck=false',
    '--coverage',
    '--coverage.provider=v8',
    '--coverage.include=packages/wellpool/src/engine/**',
    '--coverage.reporter=text',
  ]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' })
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}
