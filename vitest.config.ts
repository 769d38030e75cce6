import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const library = new URL('packages/wellpool/', import.meta.url)

/** The entries of the library by what they export, but from the sources: nothing has to be built before the tests. */
const { exports } = JSON.parse(readFileSync(new URL('package.json', library), 'utf8')) as { exports: Record<string, { default?: string }> }
const alias = Object.entries(exports).flatMap(([entry, { default: built }]) => {
  if (built === undefined) return []
  const source = built.replace('./dist/', 'src/').replace(/\.js$/, '.ts')
  return [{ find: new RegExp(`^wellpool${entry.slice(1)}$`), replacement: fileURLToPath(new URL(source, library)) }]
})

export default defineConfig({
  resolve: { alias },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'bench/test/**/*.test.ts', 'tools/test/**/*.test.ts'],
    typecheck: {
      enabled: true,
      include: ['packages/*/test/types/**/*.test-d.ts'],
      tsconfig: './packages/wellpool/test/types/tsconfig.json',
    },
    globalSetup: './packages/wellpool/test/support/global-setup.ts',
    allowOnly: false,
    restoreMocks: true,
  },
})
