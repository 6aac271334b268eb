import { isCitus } from '@shardwright/core'
import { recoverTransactions } from '@shardwright/shard-router'
import { formatDuration } from '../output/bytes.ts'
import { exitCode } from '../output/exit-code.ts'
import { wrap } from '../output/wrap.ts'
import type { Command } from '../run/command.ts'
import { wholeNumber } from './migrate.ts'

/** Ends what a crash left prepared, each transaction wholly, by what its decider says; safe at any time. */
export const transactionsRecover: Command<{ readonly grace?: string }> = async (context, { grace }) => {
  const { fleet, topology } = await context.open()
  if (isCitus(topology)) return await (await import('./citus/recover.ts')).citusRecover(context, {})
  const graceMs = grace === undefined ? undefined : wholeNumber('--grace', grace) * 1000
  const report = await recoverTransactions(fleet, { graceMs, signal: context.signal })
  const lines = [
    ...report.recovered.map((part) => `${part.shard}: ${part.gid} ${part.outcome}`),
    ...report.left.map((part) => `${part.shard}: ${part.gid} left after ${formatDuration(part.ageMs)}: ${part.reason}`),
    ...report.unreachable.map((shard) => `${shard.shard}: does not answer`),
    `${report.recovered.length} ended, ${report.left.length} left, ${report.young} too young to be looked at.`,
  ]
  const open = report.left.length > 0 || report.unreachable.length > 0
  return {
    data: report,
    render: (width) => lines.map((line) => wrap(line, width, '  ')).join('\n'),
    exitCode: open ? exitCode.found : exitCode.ok,
  }
}
