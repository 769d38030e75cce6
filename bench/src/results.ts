import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { draw, type Picture } from './charts.ts'
import type { Figures, Outcome } from './evaluate.ts'
import { fillIn, renderMarkdown } from './page.ts'
import { renderCells, renderOutcome } from './report.ts'
import type { Samples } from './rounds.ts'
import type { Circumstances } from './versions.ts'
import type { Curves, Workload } from './workload.ts'

/** What one workload came to. */
export interface Result {
  readonly workload: Workload
  readonly rounds: number
  /** What it ran against, if not against fakes. */
  readonly surroundings: string | undefined
  readonly samples: Samples
  readonly figures: Figures
  readonly outcomes: readonly Outcome[]
}

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))
const PAGE = path.join(DOCS, 'performance.md')

/** Makes the tables and pictures of these workloads on docs/performance.md anew. Those of others stay. */
export async function writePage(results: readonly Result[], circumstances: Circumstances, command: string): Promise<void> {
  const parts = Object.fromEntries(results.map((result) => [result.workload.name, renderPart(result, circumstances, command)]))
  writeFileSync(PAGE, fillIn(readFileSync(PAGE, 'utf8'), 'bench', parts))
  for (const { workload, figures } of results) {
    for (const curves of workload.curves ?? []) {
      writeFileSync(path.join(DOCS, 'images', `${curves.file}.svg`), await draw(pictureOf(curves, workload, figures)))
    }
  }
}

/** The table of one workload, how it was measured, and its pictures. */
export function renderPart(result: Result, circumstances: Circumstances, command: string): string {
  const { workload, rounds, figures, outcomes, surroundings } = result
  const { heading, rows } = renderCells(workload, figures)
  const targets = outcomes.map((outcome) => `- ${renderOutcome(outcome, workload.metrics)}`)
  const pictures = (workload.curves ?? []).map(({ file, title }) => `![${title}](images/${file}.svg)`)
  return [
    renderMarkdown(heading, rows),
    ...(targets.length === 0 ? [] : [targets.join('\n')]),
    ...pictures,
    `<sub>${describeRun(result.samples, circumstances, { rounds, surroundings, command })}</sub>`,
  ].join('\n\n')
}

function describeRun(
  samples: Samples,
  { date, node, machine, versions }: Circumstances,
  { rounds, surroundings, command }: { rounds: number; surroundings: string | undefined; command: string },
): string {
  const measured = Object.keys(samples).flatMap((name) => (versions[name] === undefined ? [] : [`${name} ${versions[name]}`]))
  const packages = measured.length === 0 ? [`wellpool ${versions.wellpool}`] : measured
  return [
    `${date.slice(0, 10)}, \`${command}\`, ${rounds} rounds`,
    `Node ${node}`,
    machine,
    ...(surroundings === undefined ? [] : [surroundings]),
    ...packages,
  ].join(', ')
}

function pictureOf({ title, over, metrics }: Curves, workload: Workload, figures: Figures): Picture {
  const unit = workload.metrics.find(({ name }) => name === metrics[0])?.unit ?? ''
  const curves = metrics.map((metric) => ({
    name: metric,
    points: Object.entries(figures).flatMap(([size, byMetric]) => {
      const figure = byMetric[metric]
      return figure === undefined ? [] : [{ x: Number(size), y: figure.value }]
    }),
  }))
  return { title, x: over, y: unit, curves }
}
