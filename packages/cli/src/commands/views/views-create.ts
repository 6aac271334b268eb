import { renderTable } from '../../output/table.ts'
import type { Command } from '../../run/command.ts'
import { viewManagerOf, withoutViews } from './view-manager-of.ts'

/** Creates, replaces and mends views on every shard. New ones have no rows until they are refreshed. */
export const viewsCreate: Command = async (context) => {
  const opened = await context.open()
  const nothing = withoutViews(opened)
  if (nothing) return nothing
  const manager = viewManagerOf(opened)
  const reports = await manager.install({ signal: context.signal })
  const created = reports.some(({ outcome }) => outcome === 'created')
  return {
    data: reports,
    render: (width) => {
      const table = renderTable(
        reports,
        [
          { title: 'view', of: (report) => report.view, shrinks: true },
          { title: 'shard', of: (report) => report.shard },
          { title: 'outcome', of: (report) => report.outcome },
        ],
        width,
      )
      return created ? `${table}\n\nNew views have no rows yet: shardwright views refresh` : table
    },
  }
}
