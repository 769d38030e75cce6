import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const at = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** The library's sources in the place of what is built: for tests, in which another may be building it now. */
const SOURCES = {
  'wellpool/testing': at('../../packages/wellpool/src/testing/index.ts'),
  'wellpool/postgres': at('../../packages/wellpool/src/drivers/postgres.ts'),
  wellpool: at('../../packages/wellpool/src/index.ts'),
}

/** The starters of servers are never built: they are sources alone. */
const SERVERS = { '@wellpool/servers': at('../../packages/servers/src/index.ts') }

/** A compiled program, for as long as it is needed. */
export interface Compiled extends AsyncDisposable {
  readonly program: string
}

/**
 * Compiles programs, so that nothing is translated, or mapped back, in a process that measures. Each run has its own:
 * another may begin while it goes on.
 *
 * @param entries the first is the one that is started
 * @returns the first, and what removes them
 */
export async function compile(entries: readonly [URL, ...URL[]], { sources = false } = {}): Promise<Compiled> {
  // Not in the system's folder: the packages are found from here.
  await mkdir(at('../dist'), { recursive: true })
  const outdir = await mkdtemp(at('../dist/run-'))
  await build({
    entryPoints: entries.map((entry) => fileURLToPath(entry)),
    outdir,
    bundle: true,
    // One chunk for each pool: a process loads only the one that it measures.
    splitting: true,
    packages: 'external',
    alias: sources ? { ...SERVERS, ...SOURCES } : SERVERS,
    sourcemap: true,
    platform: 'node',
    format: 'esm',
    target: `node${process.versions.node}`,
    // Not the repository's tsconfig: its paths would put wellpool's sources in the place of what is built and published.
    tsconfigRaw: {},
    logLevel: 'warning',
  })
  const program = path.join(outdir, `${path.basename(entries[0].pathname, '.ts')}.js`)
  return { program, [Symbol.asyncDispose]: () => rm(outdir, { recursive: true, force: true }) }
}
