import { describe, expect, it } from 'vitest'
import { platforms, SSH_ERROR_CODES, ssh } from '../../src/drivers/ssh.ts'
import { ConfigError } from '../../src/index.ts'
import { headings, readPage, tableRows } from './markdown.ts'

const PAGE = 'docs/drivers/ssh.md'
const codes = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

/** The tables under a heading of a page, each as its rows. */
function tablesUnder(page: string, heading: string): string[][][] {
  const text = readPage(page)
  expect(headings(text)).toContain(heading)
  const part = text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return part
    .split('\n\n')
    .map((block) => block.trim())
    .filter((block) => block.startsWith('|'))
    .map(tableRows)
}

const namesIn = (rows: readonly string[][] = []): string[] => rows.flatMap(([cell]) => codes(cell))

/** The names that a refusal of an unknown option lists. */
function allowedIn(options: object, path: string): string[] {
  try {
    ssh({ host: 'x', username: 'x', ...options })
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.find((problem) => problem.path === path)?.allowed.split(', ') ?? []
  }
  return []
}

/** The members of an interface or class, which exist in its source only. */
function membersOf(file: string, declaration: RegExp): string[] {
  const body = new RegExp(`${declaration.source}[^{]*\\{\n([\\s\\S]*?)^\\}`, 'm').exec(readPage(file))?.[1] ?? ''
  return [...body.matchAll(/^ {2}(?:readonly |get |async )*(\w+)(?:\??:|\(|<| = )/gm)].map(([, member = '']) => member)
}

describe(PAGE, () => {
  it('has a row for each option of the driver and of a CLI, and none besides', () => {
    const [driver, cli] = tablesUnder(PAGE, 'Options')
    expect(namesIn(driver).sort()).toEqual(allowedIn({ unknown: 1 }, 'unknown').sort())
    expect(cli?.flatMap(([cell]) => codes(cell)).sort()).toEqual(
      allowedIn({ cli: { platform: 'linux', unknown: 1 } }, 'cli.unknown').sort(),
    )
  })

  it('has a row for each platform', () => {
    const [rows] = tablesUnder(PAGE, "Talk to a device's command line")
    expect(namesIn(rows).sort()).toEqual(Object.keys(platforms).sort())
  })

  it('has a row for each error, with what it means', () => {
    const [rows = []] = tablesUnder(PAGE, 'What errors mean')
    const meanings = rows.map(([code, connecting, inUse]) => [codes(code)[0], [codes(connecting)[0], codes(inUse)[0]]])
    expect(Object.fromEntries(meanings)).toEqual(SSH_ERROR_CODES)
  })

  it('has a row for each part of a platform', () => {
    const [rows] = tablesUnder(PAGE, 'A platform of your own')
    expect(rows?.map(([cell]) => codes(cell)[0])).toEqual(
      membersOf('packages/wellpool/src/drivers/ssh-platform.ts', /^export interface CliPlatform\b/),
    )
  })

  it("has the driver's defaults", () => {
    const [rows = []] = tablesUnder(PAGE, '500 devices')
    const { defaults } = ssh({ host: 'x', username: 'x' })
    expect(Object.fromEntries(rows.map(([option, value]) => [codes(option)[0], Number(value)]))).toEqual(defaults)
  })

  it('says what a release resets, and how long it takes to notice', () => {
    for (const heading of ['What a release resets', 'How long it takes to notice']) {
      expect(tablesUnder(PAGE, heading)[0]?.length).toBeGreaterThan(0)
    }
  })
})

describe('docs/testing.md', () => {
  const [options = [], members = []] = tablesUnder('docs/testing.md', 'A network device in your tests')

  it('has a row for each option of a device', () => {
    const names = membersOf('packages/wellpool/src/testing/devices/options.ts', /^export interface DeviceOptions\b/)
    expect(namesIn(options.map(([cell = '']) => [cell])).sort()).toEqual(names.sort())
  })

  it('has a row for each member of a device', () => {
    const names = membersOf('packages/wellpool/src/testing/devices/device.ts', /^export class Device\b/)
    const named = members.flatMap(([cell]) => codes(cell)).map((name) => name.replace(/\(.*$/, ''))
    expect(named.sort()).toEqual(names.filter((name) => !['constructor', 'static'].includes(name)).sort())
  })
})
