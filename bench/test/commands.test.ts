import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** What a command says to arguments that make no sense, and its exit code. */
function call(program: string, ...args: string[]): { code: number | null; said: string } {
  const { status, stderr } = spawnSync(process.execPath, ['tools/run.mjs', program, ...args], { cwd: ROOT, encoding: 'utf8' })
  return { code: status, said: stderr }
}

const PROGRAMS = {
  bench: 'bench/src/main.ts',
  chaos: 'bench/chaos/main.ts',
  acceptance: 'bench/acceptance/main.ts',
  soak: 'bench/soak/main.ts',
  simulate: 'packages/wellpool/test/simulation/run.ts',
}

test.each(Object.entries(PROGRAMS))('npm run %s says what is wrong with an option, and how it is called', (name, program) => {
  const { code, said } = call(program, '--nonsense')
  expect(said).toMatch(new RegExp(`^Unknown option '--nonsense'.*\n\nusage: npm run ${name} -- `))
  expect(said).not.toContain('    at ')
  expect(code).toBe(2)
})

test.each([
  { program: PROGRAMS.bench, args: ['nonsense'], said: 'no workload is called nonsense' },
  { program: PROGRAMS.bench, args: ['--only', 'wellpool,nonsense'], said: 'no contender is called nonsense; there are ' },
  { program: PROGRAMS.bench, args: ['--rounds', '0'], said: "--rounds: got '0', allowed is a whole number from 1" },
  { program: PROGRAMS.acceptance, args: ['nonsense'], said: 'no part is called nonsense; there are cost, rebuilds, availability' },
  { program: PROGRAMS.soak, args: ['--hours', 'all'], said: "--hours: got 'all', allowed is a number above 0" },
  { program: PROGRAMS.simulate, args: ['--kind', 'nonsense'], said: "--kind: got 'nonsense', allowed is mixed, " },
  { program: PROGRAMS.simulate, args: ['--bug', 'nonsense'], said: "there is no planted bug 'nonsense'" },
])('$program $args: $said', ({ program, args, said }) => {
  const answer = call(program, ...args)
  expect(answer.said.startsWith(said)).toBe(true)
  expect(answer.code).toBe(2)
})
