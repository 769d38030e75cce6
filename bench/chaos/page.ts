import { renderMarkdown } from '../src/page.ts'
import type { Circumstances } from '../src/versions.ts'
import { SUBJECT } from './pools.ts'
import type { Scenario } from './scenario.ts'
import type { Comparison, Row } from './summary.ts'
import { type Cell, tableOf } from './table.ts'
import { describeOutcome, formatCount, formatTime } from './text.ts'
import type { VariantName } from './variants.ts'

/** A proxy that was late by more than this has made requests slow that no pool could have answered in time, ms. */
export const DISTURBED_MS = 50

/** All that the page's tables are made of. */
export interface Results {
  readonly circumstances: Circumstances
  readonly server: string
  readonly commands: readonly string[]
  readonly lanes: number
  /** How late a process was that did nothing but look, at worst, and how often by more than 50 ms. */
  readonly idleLateMs: number
  /** The share of runs whose proxy was late by so much that it shows in the figures. */
  readonly disturbed: number
  readonly tookMs: number
  readonly comparisons: readonly Comparison[]
}

/** The parts of the page that come from a run, by the name that their markers have. What was not measured stays as it is there. */
export function partsOf(results: Results, scenarios: readonly Scenario[]): Readonly<Record<string, string>> {
  const titleOf = (name: string): string => scenarios.find((scenario) => scenario.name === name)?.title ?? name
  const of = (variant: VariantName): readonly Comparison[] => results.comparisons.filter((comparison) => comparison.variant === variant)
  const variants = [...new Set(results.comparisons.map(({ variant }) => variant))]
  return {
    circumstances: renderCircumstances(results),
    ...Object.fromEntries(variants.map((variant) => [variant, renderMatrix(of(variant), titleOf)])),
    limits: renderLimits(of('base'), titleOf),
    details: of('base')
      .map((comparison) => `### ${capitalised(titleOf(comparison.scenario))}\n\n${renderDetails(comparison)}`)
      .join('\n\n'),
  }
}

function renderCircumstances({ circumstances, server, commands, lanes, idleLateMs, disturbed, tookMs }: Results): string {
  const { date, node, machine, versions } = circumstances
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const [only, ...others] = commands
  const how = others.length === 0 ? `with \`${only}\`` : `in ${commands.length} parts`
  return [
    `Measured on ${date.slice(0, 10)} ${how} (${formatCount(tookMs / 60_000)} min, ${lanes} runs side by side) on ${machine}, Node ${node},`,
    `PostgreSQL ${server}; ${named.join(', ')}. A process that did nothing but look at the clock was late by ${formatCount(idleLateMs)} ms at worst,`,
    `and the proxy by more than ${DISTURBED_MS} ms in ${formatCount(disturbed * 100)} % of the runs.`,
    ...(others.length === 0
      ? []
      : ['', '<details><summary>The commands of the parts</summary>', '', '```sh', ...commands, '```', '', '</details>']),
  ].join('\n')
}

function renderLimits(comparisons: readonly Comparison[], titleOf: (name: string) => string): string {
  const rows = comparisons
    .filter(({ outcomes }) => outcomes.length > 0)
    .map(({ scenario, outcomes }) => [
      titleOf(scenario),
      ...outcomes.reduce<[string, string]>(
        ([met, missed], outcome) =>
          outcome.met ? [join(met, describeOutcome(outcome)), missed] : [met, join(missed, describeOutcome(outcome))],
        ['', ''],
      ),
    ])
  return renderMarkdown(['fault', 'reached', 'fallen short'], rows, '---')
}

/** Scenarios as rows, pools as columns: failed / slow / healed. */
function renderMatrix(comparisons: readonly Comparison[], titleOf: (name: string) => string): string {
  const contenders = [...new Set(comparisons.flatMap(({ rows }) => rows.map(({ contender }) => contender)))]
  const rows = comparisons.map(({ scenario, rows: own, best }) => [
    titleOf(scenario),
    ...contenders.map((contender) => {
      const row = own.find((each) => each.contender === contender)
      return row === undefined ? '' : renderTriple(row, best)
    }),
  ])
  return renderMarkdown(['failed / slow / healed after', ...contenders], rows)
}

function renderTriple({ contender, crashes, failed, slow, healedMs }: Row, best: Comparison['best']): string {
  return [
    mark({ text: `${formatCount(failed.median)}${crashes > 0 ? ' †' : ''}`, best: best.failed.includes(contender) }),
    formatCount(slow.median),
    mark({ text: formatTime(healedMs.median), best: best.healedMs.includes(contender) }),
  ].join(' / ')
}

function renderDetails(comparison: Comparison): string {
  const { heading, rows } = tableOf(comparison)
  return renderMarkdown(
    heading,
    rows.map((cells) => cells.map(mark)),
  )
}

/** Where Wellpool is not the best, for people who look for that first. */
export function notBest(comparisons: readonly Comparison[]): Comparison[] {
  return comparisons.filter(
    ({ rows, best }) =>
      rows.length > 1 &&
      rows.some(({ contender }) => contender === SUBJECT) &&
      !(best.failed.includes(SUBJECT) && (best.healedMs.length === 0 || best.healedMs.includes(SUBJECT))),
  )
}

const mark = ({ text, best }: Cell): string => (best ? `**${text}**` : text)
const join = (before: string, more: string): string => (before === '' ? more : `${before}; ${more}`)
const capitalised = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
