import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { inspect } from 'node:util'
import type { AgentConfig, PoolConfig, ServerConfig } from './config.ts'
import { ConfigDocument, type Path } from './document.ts'
import { ConfigFileError, type FileProblem } from './errors.ts'
import { finiteDuration } from './execute-rules.ts'
import { excerpt, mask } from './masking.ts'
import { unknownName } from './names.ts'
import { checkDefaults, isMapping, type Loading, readPool, readPoolOptions } from './pools.ts'
import { POOL_ONLY_IN_CODE, ROOT_NAMES } from './schema.ts'
import { checkSection, show, showKind } from './section-check.ts'
import { LogSection, ServerSection } from './sections.ts'
import { checkFiles, checkHost } from './server-check.ts'
import { key, type PathProblem, substitute } from './substitute.ts'
import { toOptions } from './to-options.ts'

/** How to read a configuration. */
export interface LoadOptions {
  /** What `${NAME}` refers to. Default: the process' environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /**
   * Whether the files that the section `server` names are tried, too: certificate, key, tokens and audit log. Default false:
   * they are those of the machine and the user that the agent runs on and as.
   */
  readonly tryFiles?: boolean | undefined
}

/** Nobody mends more at a time, and to find the places of all that can be wrong with a large file takes minutes. */
const MOST_PROBLEMS = 100
const DEFAULT_PORT = 7710
const DEFAULT_DRAIN = '30s'

/**
 * Reads a configuration file, YAML or JSON, and checks all of it: names, values, references, and whether each driver
 * takes its options. Nothing is connected.
 *
 * @throws ConfigFileError with every problem, its line and its column; also when the file can't be read
 */
export async function loadConfig(file: string, options: LoadOptions = {}): Promise<AgentConfig> {
  return parseConfig(await textOf(file), path.resolve(file), options)
}

const UNREADABLE: Readonly<Record<string, string>> = { ENOENT: 'no such file', EISDIR: 'a folder', EACCES: 'a file that may not be read' }

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const allowed = "a file in YAML or JSON: 'wellpool init' writes one"
    throw new ConfigFileError(file, [{ line: 1, column: 1, path: '', given: UNREADABLE[code] ?? message, allowed }])
  }
}

/**
 * As {@link loadConfig}, from a text.
 *
 * @param file what it is called in messages; relative paths in it start from its folder
 */
export async function parseConfig(
  text: string,
  file: string,
  { env = process.env, tryFiles = false }: LoadOptions = {},
): Promise<AgentConfig> {
  const document = new ConfigDocument(text)
  const name = nameOf(file)
  if (document.problems.length > 0) throw unreadable(name, document.problems)
  const raw = valuesOf(document, name)
  const folder = path.dirname(path.resolve(file))
  const { values, references, problems } = substitute(raw, { env, folder })
  const loading: Loading = { references, problems: [...problems] }
  const { pools, ...rest } = await readRoot(values, folder, loading)
  if (tryFiles) loading.problems.push(...checkFiles(rest.server))
  if (loading.problems.length > 0) {
    // What a reference that leads nowhere makes of a value is no second problem.
    const unresolved = new Set(problems.map(({ path: at }) => key(at)))
    const own = [...problems, ...loading.problems.slice(problems.length).filter((problem) => !unresolved.has(key(problem.path)))]
    const told = own.slice(0, MOST_PROBLEMS).map((problem) => toFileProblem(problem, document, references))
    throw new ConfigFileError(name, told.sort(byPlace), own.length - told.length)
  }
  const secrets = [...pools.values()].flatMap(({ driver }) => driver.secrets?.() ?? [])
  return { ...rest, file: path.resolve(file), pools, shown: mask(raw ?? {}, secrets) }
}

function unreadable(file: string, problems: readonly FileProblem[]): ConfigFileError {
  const told = [...problems].sort(byPlace).slice(0, MOST_PROBLEMS)
  return new ConfigFileError(file, told, problems.length - told.length)
}

/** As short as can be: from here, where the file is below. */
function nameOf(file: string): string {
  const relative = path.relative(process.cwd(), file)
  return relative === '' || relative.startsWith('..') ? file : relative
}

function valuesOf(document: ConfigDocument, file: string): unknown {
  try {
    return document.values()
  } catch (error) {
    const given = `what is not YAML: ${(error as Error).message}`
    throw new ConfigFileError(file, [{ line: 1, column: 1, path: '', given, allowed: 'aliases of what stands above, and not too many' }])
  }
}

async function readRoot(values: unknown, folder: string, loading: Loading): Promise<Omit<AgentConfig, 'file' | 'shown'>> {
  const { problems } = loading
  const root = isMapping(values) ? values : {}
  if (!isMapping(values))
    problems.push({ path: [], given: values === null ? 'nothing' : showKind(values), allowed: 'a mapping with pools' })
  for (const name of Object.keys(root).filter((given) => !ROOT_NAMES.includes(given))) {
    problems.push({ path: [name], ...unknownName(name, ROOT_NAMES, POOL_ONLY_IN_CODE) })
  }
  const defaults = checkDefaults(readPoolOptions(root, [], loading), loading)
  const pools = new Map<string, PoolConfig>()
  if (root.pools !== undefined && root.pools !== null && !isMapping(root.pools)) {
    problems.push({ path: ['pools'], given: showKind(root.pools), allowed: 'a mapping with pools by name' })
  } else {
    for (const [name, pool] of Object.entries(root.pools ?? {})) {
      const read = await readPool(name, pool, defaults, loading)
      if (read !== undefined) pools.set(name, read)
    }
  }
  return { server: readServer(root.server, folder, loading), ...readRest(root, loading), pools }
}

function readServer(given: unknown, folder: string, { references, problems }: Loading): ServerConfig {
  const values = fromOutside(given ?? {}, ServerSection, ['server'], references)
  const wrong = checkSection(ServerSection, values, ['server'])
  problems.push(...wrong)
  const section = (wrong.length > 0 ? {} : values) as ServerSection
  const file = (name: string | undefined): string | undefined => (name === undefined ? undefined : path.resolve(folder, name))
  const { tls } = section
  const server: ServerConfig = {
    host: section.host ?? '127.0.0.1',
    port: section.port ?? DEFAULT_PORT,
    tls: tls === undefined ? undefined : { certFile: path.resolve(folder, tls.cert_file), keyFile: path.resolve(folder, tls.key_file) },
    tokensFile: file(section.tokens_file),
    auditLog: file(section.audit_log),
    dashboard: section.dashboard ?? true,
    eventHistory: section.event_history ?? 500,
    maxEventClients: section.max_event_clients ?? 100,
  }
  problems.push(...checkHost(server))
  return server
}

function readRest(root: Record<string, unknown>, { problems }: Loading): Pick<AgentConfig, 'logLevel' | 'drainTimeoutMs'> {
  const wrong = checkSection(LogSection, root.log ?? {}, ['log'])
  problems.push(...wrong)
  const { level } = (wrong.length > 0 ? {} : (root.log ?? {})) as { level?: AgentConfig['logLevel'] }
  const given = root.drain_timeout ?? DEFAULT_DRAIN
  const drainTimeoutMs = typeof given === 'string' || typeof given === 'number' ? finiteDuration(given) : undefined
  if (drainTimeoutMs === undefined) {
    problems.push({
      path: ['drain_timeout'],
      given: show(given),
      allowed: "a duration (ms, or text such as '30s') from 1 ms up to 24 days",
    })
  }
  return { logLevel: level ?? 'info', drainTimeoutMs: drainTimeoutMs ?? 0 }
}

/** What came from outside as the number or truth value that the schema wants, under the names of the file. */
function fromOutside(value: unknown, schema: object, at: Path, references: ReadonlyMap<string, string>): unknown {
  if (!isMapping(value)) return toOptions(value, schema, at, references)
  const properties = (schema as { properties?: Record<string, object> }).properties ?? {}
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, fromOutside(item, properties[name] ?? {}, [...at, name], references)]),
  )
}

function toFileProblem(
  { path: at, given, allowed }: PathProblem,
  document: ConfigDocument,
  references: ReadonlyMap<string, string>,
): FileProblem {
  const reference = references.get(key(at))
  const hidden = reference !== undefined && !given.includes('${')
  return {
    ...document.locate(at),
    path: at.map((step) => (typeof step === 'number' ? `[${step}]` : excerpt(step))).join('.'),
    // The pool's own rules and the drivers' show a value as it was given.
    given: hidden ? `what ${inspect(reference)} stands for` : excerptOf(given),
    allowed: allowed.replaceAll('Infinity', 'infinity'),
  }
}

/** Of a value in quotes its beginning. Other words as they are. */
const excerptOf = (given: string): string => given.replace(/^'(.*)'$/s, (_, value: string) => `'${excerpt(value)}'`)

const byPlace = (a: FileProblem, b: FileProblem): number => a.line - b.line || a.column - b.column
