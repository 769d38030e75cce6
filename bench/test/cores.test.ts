import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { listed, onCores, shareOutCores } from '../src/cores.ts'

/** Which cores a command that is started now may run on. */
const coresOf = (command: string, ...args: string[]): string =>
  execFileSync(command, [...args, '-e', "console.log(/^Cpus_allowed_list:\\s*(\\S+)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1])"], {
    encoding: 'utf8',
  }).trim()

describe.runIf(process.platform === 'linux')('cores', () => {
  const before = readFileSync('/proc/self/status', 'utf8')
  const all = /^Cpus_allowed_list:\s*(\S+)$/m.exec(before)?.[1] ?? ''

  afterEach(() => vi.unstubAllEnvs())

  test.runIf(listed(all).length > 1)('are shared out: the first for the application, all others for what is started besides', () => {
    const cores = shareOutCores()
    try {
      expect(cores?.application).toBe(String(listed(all)[0]))
      expect(listed(coresOf(process.execPath))).toEqual(listed(all).slice(1))
      const { execPath = '', execArgv = [] } = onCores(cores?.application, ['--no-warnings'])
      expect(coresOf(execPath, ...execArgv)).toBe(cores?.application)
    } finally {
      cores?.giveBack()
    }
    expect(coresOf(process.execPath)).toBe(all)
  })

  test('are everybody’s where there is no taskset', () => {
    vi.stubEnv('PATH', '/nowhere')
    expect(shareOutCores()).toBeUndefined()
    expect(onCores(undefined, ['--expose-gc'])).toEqual({ execArgv: ['--expose-gc'] })
  })
})

test('a list of cores may have ranges', () => {
  expect(listed('0-2,5,7-8')).toEqual([0, 1, 2, 5, 7, 8])
  expect(listed('3')).toEqual([3])
  expect(listed('')).toEqual([])
})
