import { formatDuration } from '../../output/bytes.ts'
import { exitCode } from '../../output/exit-code.ts'
import { renderTable } from '../../output/table.ts'
import { wrap } from '../../output/wrap.ts'
import type { Command } from '../../run/command.ts'
import { viewManagerOf, withoutViews } from './view-manager-of.ts'

/** Refreshes views on every shard; what fails keeps its old rows. */
export const viewsRefresh: Command<{ readonly names?: readonly string[] }> = async (context, { names = [] }) => {
  const opened = await context.open()
  const nothing = withoutViews(opened)
  if (nothing && names.length === 0) return nothing
  const manager = viewManagerOf(opened)
  const reports = await manager.refresh({
    signal: context.signal,
    ...(names.length > 0 && { views: names }),
  })
  const failed = reports.filter(({ outcome }) => outcome === 'failed' || outcome === 'skipped')
  return {
    data: reports,
    render: (width) =>
      [
        renderTable(
          reports,
          [
            { title: 'view', of: (report) => report.view, shrinks: true },
            { title: 'shard', of: (report) => report.shard },
            { title: 'outcome', of: (report) => report.outcome },
            {
              title: 'how',
              of: (report) => report.mode ?? ((report.buckets !== undefined && `${report.buckets} buckets`) || ''),
            },
            { title: 'time', of: (report) => formatDuration(report.durationMs), align: 'right' },
          ],
          width,
        ),
        ...failed.map(({ view, shard, failure }) => wrap(`${view} on ${shard}: ${failure?.message}`, width, '  ')),
      ].join('\n'),
    exitCode: failed.length > 0 ? exitCode.found : exitCode.ok,
  }
}
