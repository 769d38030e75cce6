import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findProgram, PROMTOOL_PROGRAM, runToEnd } from '@wellpool/servers'
import { describe, expect, test } from 'vitest'
import { DEFAULT_OPTIONS } from '../../../wellpool/src/engine/options.ts'
import { codeBlocks, readPage } from '../../../wellpool/test/docs/markdown.ts'
import { describeWith } from '../../../wellpool/test/support/describe-if.ts'
import { parseConfig } from '../../src/config/index.ts'
import { commandOf, GRACE, yamlDocuments } from './support.ts'

const page = readPage('docs/deployment.md')
const blocks = codeBlocks(page)
const yaml = blocks.filter(({ language }) => language === 'yaml')
const [settings, scraping] = yaml

describe('docs/deployment.md', () => {
  test('has a configuration that is right', async () => {
    expect(yaml).toHaveLength(2)
    const { server } = await parseConfig(settings?.code ?? '', '/etc/wellpool/wellpool.yaml')
    expect([server.tokensFile, server.auditLog]).toEqual(['/var/lib/wellpool/tokens.json', '/var/log/wellpool/audit.log'])
  })

  test('calls commands and options that there are', () => {
    const shown = [...blocks.filter(({ language }) => language === 'sh').map(({ code }) => code), ...page.matchAll(/`([^`\n]+)`/g)]
      .map((each) => (typeof each === 'string' ? each : (each[1] ?? '')))
      .join('\n')
    // As a command, with the options of all commands before it, and behind the name of the image.
    const calls = /(?:(?:^|sudo -u wellpool )wellpool|wellpool:[\d.]+)(?: --(?:url|ca|token-file) \S+)* ([a-z][^&#\n]*)/gm
    const lines = [...shown.matchAll(calls)].map(([, words = '']) => words.trim())
    expect(lines.length).toBeGreaterThan(8)
    for (const line of lines) expect(() => commandOf(line.split(/\s+/))).not.toThrow()
  })

  test('says how long an end may take, by the defaults that there are', async () => {
    const { drainTimeoutMs } = await parseConfig('{}', 'wellpool.yaml')
    expect([drainTimeoutMs, DEFAULT_OPTIONS.closeTimeout]).toEqual([GRACE.drain * 1000, `${GRACE.close}s`])
    expect(page).toContain(`for at most \`drain_timeout\` (${GRACE.drain}s)`)
    expect(page).toContain(`for at most \`close_timeout\` (${GRACE.close}s)`)
    expect(page).toContain(`answered, for at most ${GRACE.answers} s`)
    const longest = GRACE.drain + GRACE.close + GRACE.answers
    expect(page).toContain(`that is at most ${longest} s`)
    expect(Number(/--stop-timeout (\d+)/.exec(page)?.[1])).toBeGreaterThan(longest)
  })
})

await describeWith([PROMTOOL_PROGRAM], 'promtool', () => {
  test('can read the configuration for Prometheus', async () => {
    expect(yamlDocuments(scraping?.code ?? '')).toHaveLength(1)
    const folder = mkdtempSync(path.join(tmpdir(), 'wellpool-scrape-'))
    const file = path.join(folder, 'prometheus.yml')
    writeFileSync(file, scraping?.code ?? '')
    // The files that it names are not here.
    await runToEnd(await findProgram(PROMTOOL_PROGRAM), ['check', 'config', '--syntax-only', file])
    rmSync(folder, { recursive: true })
  })
})
