import type { Advice } from '../advisor/advice.ts'
import { hotKeyAdvice } from '../advisor/callers/hot-key-advice.ts'
import { scatterAdvice } from '../advisor/callers/scatter-advice.ts'
import type { CallerReport, ReportedKey } from './caller-report.ts'

/** A figure of some processes together. */
interface Seen<Figure> {
  readonly figure: Figure
  readonly by: readonly CallerReport[]
}

interface ScatterFigure {
  readonly statement: string
  readonly calls: number
  readonly shards: number
}

const listedKeys = 5

/**
 * Statements that scatter, over all processes together, and hot keys, each with the processes that saw it and the age of what
 * they said; pure.
 */
export function callerAdvice(reports: readonly CallerReport[]): readonly Advice[] {
  const scatters = scattersOf(reports)
  const byStatement = new Map(scatters.map((seen) => [seen.figure.statement, seen]))
  return [
    ...scatterAdvice(scatters.map(({ figure }) => figure)).map((advice) =>
      withSource(advice, byStatement.get(advice.object)?.by ?? []),
    ),
    ...keysOf(reports).flatMap(({ figure, by }) => hotKeyAdvice([figure]).map((advice) => withSource(advice, by))),
  ]
}

function scattersOf(reports: readonly CallerReport[]): readonly Seen<ScatterFigure>[] {
  const all = new Map<string, Seen<ScatterFigure>>()
  for (const report of reports) {
    for (const { statement, calls, shards } of report.scatters) {
      const { figure, by } = all.get(statement) ?? { figure: { statement, calls: 0, shards: 0 }, by: [] }
      const sum = figure.calls + calls
      const mean = sum === 0 ? 0 : (figure.shards * figure.calls + shards * calls) / sum
      all.set(statement, { figure: { statement, calls: sum, shards: mean }, by: [...by, report] })
    }
  }
  return [...all.values()].toSorted((a, b) => b.figure.calls - a.figure.calls)
}

/** A key that is hidden cannot be told from another process's: of each family the one with the largest share stands. */
function keysOf(reports: readonly CallerReport[]): readonly Seen<ReportedKey>[] {
  const all = new Map<string, Seen<ReportedKey>>()
  for (const report of reports) {
    for (const figure of report.keys) {
      const name = JSON.stringify([figure.family, figure.key])
      const known = all.get(name)
      const by = [...new Set([...(known?.by ?? []), report])]
      const hotter = known === undefined || figure.share > known.figure.share
      if (!hotter) all.set(name, { ...known, by })
      else all.set(name, { figure, by: [report, ...by.filter((other) => other !== report)] })
    }
  }
  return [...all.values()].toSorted((a, b) => b.figure.share - a.figure.share).slice(0, listedKeys)
}

function withSource(advice: Advice, by: readonly CallerReport[]): Advice {
  const [first, ...others] = by
  if (first === undefined) return advice
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  return Object.freeze({ ...advice, message: `${advice.message} (${first.process}, ${ago(first.ageMs)}${more})` })
}

function ago(ageMs: number): string {
  const seconds = Math.max(0, Math.round(ageMs / 1000))
  return seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`
}
