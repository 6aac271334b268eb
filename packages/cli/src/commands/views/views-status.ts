import type { ViewStatus } from '@shardwright/view-manager'
import { formatDuration } from '../../output/bytes.ts'
import { exitCode } from '../../output/exit-code.ts'
import { renderTable } from '../../output/table.ts'
import { wrap } from '../../output/wrap.ts'
import type { Command } from '../../run/command.ts'
import { viewManagerOf, withoutViews } from './view-manager-of.ts'

/** How old each view is on each shard, whether it is defined as here, and why its last refresh failed. */
export const viewsStatus: Command = async (context) => {
  const opened = await context.open()
  const nothing = withoutViews(opened)
  if (nothing) return nothing
  const statuses = await viewManagerOf(opened).status()
  const now = Date.now()
  const wrong = statuses.filter((status) => stateOf(status) !== 'current')
  return {
    data: statuses.map((status) => ({ ...status, state: stateOf(status) })),
    render: (width) =>
      [
        renderTable(
          statuses,
          [
            { title: 'view', of: (status) => status.view, shrinks: true },
            { title: 'shard', of: (status) => status.shard },
            { title: 'state', of: stateOf },
            {
              title: 'age',
              of: ({ refreshedAt }) => refreshedAt && formatDuration(Math.max(0, now - refreshedAt.getTime())),
              align: 'right',
            },
            {
              title: 'took',
              of: ({ durationMs }) => (durationMs !== undefined && formatDuration(durationMs)) || '',
              align: 'right',
            },
          ],
          width,
        ),
        ...statuses.flatMap(({ view, shard, failure }) =>
          failure === undefined ? [] : [wrap(`${view} on ${shard}: ${textOf(failure)}`, width, '  ')],
        ),
      ].join('\n'),
    exitCode: wrong.length > 0 ? exitCode.found : exitCode.ok,
  }
}

function stateOf({ installed, current, refreshedAt, failure }: ViewStatus): string {
  if (failure !== undefined) return 'failed'
  if (!installed) return 'missing'
  if (!current) return 'other definition'
  return refreshedAt === undefined ? 'never refreshed' : 'current'
}

function textOf(failure: NonNullable<ViewStatus['failure']>): string {
  return typeof failure === 'string' ? failure : failure.message
}
