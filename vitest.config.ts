import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** The entries of a package by what they export, but from the sources: nothing has to be built before the tests. */
function entriesOf(folder: string): { find: RegExp; replacement: string }[] {
  const location = new URL(`packages/${folder}/`, import.meta.url)
  const { name, exports } = JSON.parse(readFileSync(new URL('package.json', location), 'utf8')) as {
    name: string
    exports: Record<string, string | { default?: string }>
  }
  return Object.entries(exports).flatMap(([entry, target]) => {
    if (typeof target === 'string' || target.default === undefined) return []
    const source = target.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts')
    return [{ find: new RegExp(`^${name}${entry.slice(1)}$`), replacement: fileURLToPath(new URL(source, location)) }]
  })
}

const alias = [...entriesOf('wellpool'), ...entriesOf('server')]

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
