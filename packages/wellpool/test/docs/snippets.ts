import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { build } from 'esbuild'
import { codeBlocks, readPage, root } from './markdown.ts'

/** A program in the documentation or in examples/. */
export interface Snippet {
  /** Where it stands: `README.md:20`, `examples/first.ts`. */
  readonly title: string
  readonly code: string
  /** A piece of a program: it is type-checked with the names of fragment-globals.d.ts, and not run. */
  readonly fragment: boolean
  /** What it prints, if the page says so; `…` stands for anything on its line. */
  readonly output?: string
}

const LANGUAGES = ['ts', 'typescript', 'js', 'javascript']
/** Within the repository, so that programs find its packages. */
const cache = path.join(root, 'packages/wellpool/.cache')

/**
 * The programs of a page: its fenced blocks of TypeScript and JavaScript. A block is a whole program that ends by
 * itself, unless `fragment` follows the language (```ts fragment). A ```text output block after it is what it prints.
 */
export function snippetsOf(page: string): Snippet[] {
  const blocks = codeBlocks(readPage(page))
  return blocks.flatMap(({ language, marks, code, line }, index) => {
    if (!LANGUAGES.includes(language)) return []
    const unknown = marks.filter((mark) => mark !== 'fragment')
    if (unknown.length > 0) throw new Error(`${page}:${line}: nobody knows what ${unknown.join(' ')} means after ${language}`)
    const next = blocks[index + 1]
    const output = next?.language === 'text' && next.marks.includes('output') ? { output: next.code } : {}
    return [{ title: `${page}:${line}`, code, fragment: marks.includes('fragment'), ...output }]
  })
}

/** @returns what TypeScript has against each snippet, by its title */
export async function typeCheck(snippets: readonly Snippet[]): Promise<Map<string, string[]>> {
  const problems = new Map<string, string[]>()
  for (const fragment of [false, true]) {
    const files = new Map(
      snippets.filter((snippet) => snippet.fragment === fragment).map(({ title, code }) => [fileName(title), { title, code }]),
    )
    if (files.size === 0) continue
    const group = await makeFolder()
    // An export makes each of them a module, whose names are its own.
    for (const [name, { code }] of files) await writeFile(path.join(group, name), `${code}\nexport {}\n`)
    await writeFile(path.join(group, 'tsconfig.json'), JSON.stringify(project(fragment)))
    const report = await runNode([path.join(root, 'node_modules/typescript/bin/tsc'), '-p', group, '--pretty', 'false'], {})
    for (const [line, name = '', text = ''] of report.stdout.matchAll(/^(?:.*\/)?([^/\n(]+)\((\d+,\d+\): error .*)$/gm)) {
      const file = files.get(name)
      if (file === undefined) throw new Error(`not about a snippet: ${line}`)
      problems.set(file.title, [...(problems.get(file.title) ?? []), text])
    }
    await rm(group, { recursive: true })
    if (report.code !== 0 && problems.size === 0) throw new Error(`tsc failed: ${report.stdout}${report.stderr}`)
  }
  return problems
}

/**
 * Runs a program against the sources, with the address of a real database in DATABASE_URL.
 *
 * @param within ms after which it must have ended by itself
 * @returns what it prints
 * @throws when it fails or does not end
 */
export async function runSnippet({ title, code }: Snippet, databaseUrl: string, within = 30_000): Promise<string> {
  const folder = await makeFolder()
  const outfile = path.join(folder, fileName(title).replace('.ts', '.mjs'))
  await build({
    stdin: { contents: code, loader: 'ts', resolveDir: path.join(root, 'examples'), sourcefile: title },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    packages: 'external',
    plugins: [
      { name: 'sources', setup: (setup) => setup.onResolve({ filter: /^wellpool(\/|$)/ }, ({ path: name }) => ({ path: sourceOf(name) })) },
    ],
  })
  const { code: exitCode, stdout, stderr } = await runNode([outfile], { DATABASE_URL: databaseUrl }, within)
  await rm(folder, { recursive: true })
  if (exitCode !== 0) throw new Error(`${title} ${exitCode === null ? 'does not end' : `failed with ${exitCode}`}\n${stdout}${stderr}`)
  return stdout
}

/** @returns whether a program has printed what its page says */
export function matchesOutput(printed: string, expected: string): boolean {
  const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${expected.trim().split('…').map(literal).join('.*')}$`).test(printed.trim())
}

const fileName = (title: string): string => `${title.replaceAll(/[^\w]+/g, '-').replace(/-ts$/, '')}.ts`

/** Where the sources of an entry point are: `wellpool/postgres` → src/drivers/postgres.ts. */
function sourceOf(name: string): string {
  const { exports } = JSON.parse(readPage('packages/wellpool/package.json')) as { exports: Record<string, { default?: string }> }
  const built = exports[name.replace('wellpool', '.')]?.default
  if (built === undefined) throw new Error(`package.json names no entry ${name}`)
  return path.join(root, 'packages/wellpool', built.replace('./dist/', 'src/').replace(/\.js$/, '.ts'))
}

function project(fragment: boolean): object {
  return {
    extends: path.join(root, 'tsconfig.json'),
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false, allowJs: true, checkJs: true },
    include: ['*.ts', ...(fragment ? [path.join(root, 'packages/wellpool/test/docs/fragment-globals.d.ts')] : [])],
  }
}

interface Ended {
  /** Null when it was killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function makeFolder(): Promise<string> {
  await mkdir(cache, { recursive: true })
  return mkdtemp(path.join(cache, 'snippets-'))
}

function runNode(args: string[], env: Readonly<Record<string, string>>, timeout = 60_000): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: root, env: { ...process.env, ...env }, timeout, killSignal: 'SIGKILL' } as const
    const child = execFile(process.execPath, args, options, (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }))
  })
}
