import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { Guard } from './guard.ts'
import { findProgram, type Program } from './programs.ts'
import { giveTo, unprivileged } from './run-as.ts'
import { runUntilReady } from './run-until-ready.ts'

/** What {@link startPrometheus} and {@link startAlertmanager} run, and what tests rules without either. */
export const PROMETHEUS_PROGRAM: Program = { name: 'prometheus', debianPackages: ['prometheus'] }
export const PROMTOOL_PROGRAM: Program = { name: 'promtool', debianPackages: ['prometheus'] }
export const ALERTMANAGER_PROGRAM: Program = { name: 'prometheus-alertmanager', debianPackages: ['prometheus-alertmanager'] }

/** A server of the Prometheus family that is running on 127.0.0.1. */
export interface MonitoringServer {
  readonly url: string
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts an Alertmanager that sends what it is told of nowhere: ask its API.
 *
 * @throws NoServerError when there is none and none can be installed
 */
export async function startAlertmanager(): Promise<MonitoringServer> {
  const config = 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n'
  return start(ALERTMANAGER_PROGRAM, { 'alertmanager.yml': config }, (folder, port) => [
    `--config.file=${join(folder, 'alertmanager.yml')}`,
    `--storage.path=${folder}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
  ])
}

/**
 * Starts a Prometheus that looks at its targets and its rules twice a second.
 *
 * @param target `host:port` whose page `/metrics` is read
 * @param rules the text of a file of rules
 * @param alertmanager is told of alerts
 * @throws NoServerError when there is none and none can be installed
 */
export async function startPrometheus(target: string, rules: string, alertmanager: MonitoringServer): Promise<MonitoringServer> {
  const config = `global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }
rule_files: [rules.yml]
scrape_configs:
  - job_name: app
    static_configs: [{ targets: ['${target}'] }]
alerting:
  alertmanagers:
    - static_configs: [{ targets: ['${new URL(alertmanager.url).host}'] }]
`
  return start(PROMETHEUS_PROGRAM, { 'prometheus.yml': config, 'rules.yml': rules }, (folder, port) => [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    // Otherwise an alert that has ended is told of again for a minute.
    '--rules.alert.resend-delay=1s',
  ])
}

async function start(
  program: Program,
  files: Readonly<Record<string, string>>,
  args: (folder: string, port: number) => readonly string[],
): Promise<MonitoringServer> {
  const command = await findProgram(program)
  const folder = await mkdtemp(join(tmpdir(), `wellpool-${program.name}-`))
  const guard = new Guard({ folders: [folder], endSignal: 'SIGKILL' })
  try {
    const runAs = unprivileged(['prometheus', 'nobody'])
    await giveTo(runAs, folder)
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(folder, name), text)
      await giveTo(runAs, join(folder, name))
    }
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const log = join(folder, 'output.log')
    const options = { cwd: folder, env: { PATH: process.env.PATH }, log, ...runAs }
    await runUntilReady(guard, program.name, { command, args: args(folder, port), ...options }, () => isReady(url))
    const close = (): Promise<void> => guard.close()
    return { url, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await guard.close()
    throw error
  }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  )
}
