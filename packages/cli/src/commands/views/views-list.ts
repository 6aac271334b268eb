import type { Rollup, View } from '@shardwright/view-manager'
import { renderTable } from '../../output/table.ts'
import type { Command } from '../../run/command.ts'
import { viewsOf, withoutViews } from './view-manager-of.ts'

/** What the configuration defines; asks no server. */
export const viewsList: Command = async (context) => {
  const loaded = await context.loadConfig()
  const nothing = withoutViews(loaded)
  if (nothing) return nothing
  const { views, rollups } = viewsOf(loaded)
  const lines = [...rollups, ...views].map(lineOf)
  return {
    data: lines,
    render: (width) =>
      renderTable(
        lines,
        [
          { title: 'view', of: (line) => line.view },
          { title: 'kind', of: (line) => line.kind },
          { title: 'reads', of: (line) => line.reads.join(', '), shrinks: true },
          { title: 'unique on', of: (line) => line.uniqueOn.join(', '), shrinks: true },
          { title: 'refresh', of: (line) => line.refresh, shrinks: true },
        ],
        width,
      ),
  }
}

interface ViewLine {
  readonly view: string
  readonly kind: 'view' | 'rollup'
  readonly reads: readonly string[]
  readonly uniqueOn: readonly string[]
  readonly refresh: string
}

function lineOf(one: View | Rollup): ViewLine {
  const base = { view: one.name, kind: one.kind, refresh: refreshOf(one.refresh) }
  if (one.kind === 'view') return { ...base, reads: one.reads, uniqueOn: one.uniqueOn }
  return { ...base, reads: [one.source], uniqueOn: ['bucket', ...one.keys] }
}

function refreshOf({ every, after }: Pick<View['refresh'], 'every' | 'after'>): string {
  const parts = [
    ...(every === undefined
      ? []
      : ['cron' in every ? `${every.cron} (${every.zone})` : `every ${every.everyMs / 1000} s`]),
    ...(after === undefined ? [] : [`after ${after.changes} changes or ${after.seconds} s`]),
  ]
  return parts.length === 0 ? 'by hand' : parts.join(', ')
}
