import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { PACKAGES } from './pools.ts'

const require = createRequire(import.meta.url)

/** What the figures depend on: machine, Node and the versions of all contenders. */
export interface Circumstances {
  readonly date: string
  readonly node: string
  readonly v8: string
  readonly machine: string
  readonly versions: Readonly<Record<string, string>>
}

/** Reads the circumstances of this run. */
export function circumstances(): Circumstances {
  const cpus = os.cpus()
  return {
    date: new Date().toISOString(),
    node: process.versions.node,
    v8: process.versions.v8,
    machine: `${cpus.length} × ${cpus[0]?.model ?? 'unknown CPU'}, ${os.type()} ${os.arch()}`,
    versions: Object.fromEntries(Object.entries({ ...PACKAGES, pg: 'pg' }).map(([contender, name]) => [contender, versionOf(name)])),
  }
}

/** From package.json on disk: some packages don't export theirs. */
function versionOf(name: string): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = path.join(folder, name, 'package.json')
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  }
  throw new Error(`${name} is not installed`)
}
