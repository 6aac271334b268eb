import type { RunEvent } from '@shardwright/migrator'
import { formatDuration } from '../output/bytes.ts'
import type { Screen } from '../output/screen.ts'
import { wrap } from '../output/wrap.ts'

/** A line per thing that happens: it reads the same in a terminal, in a log file and in CI. */
export function progressOf(screen: Screen, quiet: boolean): (event: RunEvent) => void {
  let total = 0
  let done = 0
  return (event) => {
    if (quiet) return
    switch (event.type) {
      case 'planned':
        total = event.steps.reduce((sum, step) => sum + step.shards.length, 0)
        return
      case 'done':
        return screen.note(
          `[${++done}/${total}] ${event.migration} on ${event.shard}: ${formatDuration(event.durationMs)}`,
        )
      case 'retrying':
        return screen.note(
          `[${done}/${total}] ${event.migration} on ${event.shard}: a lock was not free, attempt ${event.attempt + 1}`,
        )
      case 'failed':
        return screen.note(
          wrap(
            `[${++done}/${total}] ${event.migration} on ${event.shard}: ${event.error.message} ${event.error.hint ?? ''}`,
            screen.width,
            '    ',
          ),
        )
      default:
        return
    }
  }
}
