import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const folder = fileURLToPath(new URL('../..', import.meta.url))
const bundler = fileURLToPath(new URL('../../../../node_modules/vite/bin/vite.js', import.meta.url))

/** Builds the page as it is published. @returns the folder with it, which is the caller's to remove */
export async function buildPage(): Promise<string> {
  const built = await mkdtemp(join(tmpdir(), 'wellpool-dashboard-'))
  const { NODE_ENV: _, VITEST: __, ...env } = process.env
  await promisify(execFile)(process.execPath, [bundler, 'build', '--logLevel', 'warn', '--emptyOutDir', '--outDir', built], {
    cwd: folder,
    env,
  })
  return built
}
