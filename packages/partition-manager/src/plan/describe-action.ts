import type { PartitionAction } from './action.ts'
import { rangeText } from './range-text.ts'

/** One line for people. */
export function describeAction(action: PartitionAction): string {
  switch (action.kind) {
    case 'finalize-detach':
      return `finalize the interrupted detach of ${action.partition.name}`
    case 'create':
      return `create ${action.name} for ${rangeText({ lower: action.period.from, upper: action.period.to })}${action.gap ? ' (gap)' : ''}`
    case 'repair-default': {
      const range = rangeText({ lower: action.period.from, upper: action.period.to })
      return `move ${action.rows} rows of ${range} from ${action.defaultPartition.name} to ${action.name}${action.resume ? ' (resumed)' : ''}`
    }
    case 'retire': {
      const how = { detach: 'detach', drop: 'detach and drop', archive: 'archive and remove' }[action.ending]
      return `${how} ${action.partition.name} ${rangeText(action.range)}${action.resume ? ' (resumed)' : ''}`
    }
    case 'reattach':
      return `attach ${action.partition.name} again: it is not due any more`
    case 'forget-job':
      return `forget job ${action.jobId}: nothing is left of it`
    case 'columnar':
      return `rewrite ${action.partition.name} ${rangeText(action.range)} in columns`
    case 'create-index':
      return `create index ${action.index.name} partition by partition`
    case 'build-index':
      return `build index ${action.missing.name} on ${action.missing.partition} concurrently`
    case 'analyze':
      return 'analyze the parent'
  }
}
