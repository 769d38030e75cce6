import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findProgram, type Program, runToEnd } from '@wellpool/servers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPage } from '../../../wellpool/test/docs/markdown.ts'
import { describeWith } from '../../../wellpool/test/support/describe-if.ts'
import { EXIT } from '../../src/cli/exit-codes.ts'
import { commandOf, GRACE } from './support.ts'

const unit = readPage('ops/systemd/wellpool.service')
const SYSTEMD: Program = { name: 'systemd-analyze', debianPackages: ['systemd'] }

/** All values of a setting, in their order. */
const settings = (name: string): string[] => [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value)

describe('ops/systemd/wellpool.service', () => {
  test('runs commands that there are', () => {
    const [check = '', signal] = settings('ExecReload')
    for (const line of [...settings('ExecStart'), check]) {
      const [node, main, ...args] = line.split(' ')
      expect([node, main]).toEqual(['/usr/bin/node', '/opt/wellpool/node_modules/@wellpool/server/dist/cli/main.js'])
      expect(() => commandOf(args)).not.toThrow()
    }
    expect(commandOf(settings('ExecStart')[0]?.split(' ').slice(2) ?? [])).toBe('serve')
    expect(commandOf(check.split(' ').slice(2))).toBe('check')
    expect(signal).toBe('/bin/kill -HUP $MAINPID')
  })

  test('gives the agent the time that it takes to drain', () => {
    expect(Number(settings('TimeoutStopSec')[0])).toBeGreaterThan(GRACE.drain + GRACE.close + GRACE.answers)
  })

  test('does not start again with a file that is wrong', () => {
    expect(settings('RestartPreventExitStatus')).toEqual([String(EXIT.usage)])
  })

  test('says why in each of its parts: no comment follows a value, where systemd would read it as one', () => {
    for (const line of unit.split('\n').filter((text) => /^\w+=/.test(text))) expect(line).not.toMatch(/\s#/)
  })
})

await describeWith([SYSTEMD], 'systemd', () => {
  let folder: string
  let file: string
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'wellpool-unit-'))
    file = path.join(folder, 'wellpool.service')
    // It looks for the programs, too, which need not be here.
    writeFileSync(file, unit.replaceAll('/usr/bin/node', process.execPath))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('can read all of it', async () => {
    expect(await runToEnd(await findProgram(SYSTEMD), ['verify', '--man=no', file])).toBe('')
  })

  test('calls it well protected', async () => {
    // From 0 to 100, the lower the better; a service without any protection has 96.
    await runToEnd(await findProgram(SYSTEMD), ['security', '--no-pager', '--offline=yes', '--threshold=20', file])
  })
})
