import type { RunEvent } from '@shardwright/migrator'
import { formatDuration } from '../output/bytes.ts'
import { wrap } from '../output/wrap.ts'
import type { CommandContext } from '../run/command.ts'

/** A line per thing that has ended, which reads the same in a log file, and in a terminal what is under way. */
export function progressOf({
  progress,
  screen,
}: Pick<CommandContext, 'progress' | 'screen'>): (event: RunEvent) => void {
  let total = 0
  let done = 0
  return (event) => {
    switch (event.type) {
      case 'waiting':
        return progress.doing(event.shard, 'waits for another deployer')
      case 'planned':
        total = event.steps.reduce((sum, step) => sum + step.shards.length, 0)
        return
      case 'started':
        return progress.doing(event.shard, event.migration)
      case 'done':
        return progress.ended(
          event.shard,
          `[${++done}/${total}] ${event.migration} on ${event.shard}: ${formatDuration(event.durationMs)}`,
        )
      case 'retrying':
        progress.doing(event.shard, `${event.migration}, attempt ${event.attempt + 1}`)
        return progress.note(
          `[${done}/${total}] ${event.migration} on ${event.shard}: a lock was not free, attempt ${event.attempt + 1}`,
        )
      case 'failed':
        return progress.ended(
          event.shard,
          wrap(
            `[${++done}/${total}] ${event.migration} on ${event.shard}: ${event.error.message}${event.error.hint ? `\n    ${event.error.hint}` : ''}`,
            screen.width,
            '    ',
          ),
        )
    }
  }
}
