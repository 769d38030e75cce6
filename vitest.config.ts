import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (file: string): string => fileURLToPath(new URL(`packages/wellpool/src/${file}`, import.meta.url))

export default defineConfig({
  // Tests see the sources, so that nothing has to be built before them.
  resolve: {
    alias: [
      { find: /^wellpool$/, replacement: source('index.ts') },
      { find: /^wellpool\/testing$/, replacement: source('testing/index.ts') },
      { find: /^wellpool\/(.+)$/, replacement: source('drivers/$1.ts') },
    ],
  },
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
