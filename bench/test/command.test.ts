import { expect, test } from 'vitest'
import { commandLine } from '../src/command.ts'

test.each([
  { args: [], command: 'npm run bench' },
  { args: ['scale', '--rounds', '3', '--write-docs'], command: 'npm run bench -- scale --rounds 3 --write-docs' },
  { args: ['--json', '/somewhere/results.json', 'scale'], command: 'npm run bench -- scale' },
  { args: ['--from=/somewhere/results.json'], command: 'npm run bench' },
])('$args is repeated by $command', ({ args, command }) => {
  expect(commandLine('bench', args)).toBe(command)
})
