import { execFileSync } from 'node:child_process'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { coresOfThisProcess, listed, onCores, shareOutCores } from '../src/cores.ts'

const PROGRAM = "console.log(/^Cpus_allowed_list:\\s*(\\S+)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1])"

/** Which cores a process has that is started now. */
function coresOf(node: string, ...flags: string[]): string {
  return execFileSync(node, [...flags, '-e', PROGRAM], { encoding: 'utf8' }).trim()
}

describe.runIf(process.platform === 'linux')('cores', () => {
  const all = coresOfThisProcess()

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
