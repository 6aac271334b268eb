import { Calendar } from '../calendar/calendar.ts'
import { weekDays } from '../calendar/interval.ts'
import type { Position } from '../calendar/position.ts'
import { PartitionError } from '../errors/partition-error.ts'
import { partitionKey } from '../keys/keys.ts'
import type { PartitionKey } from '../keys/partition-key.ts'
import { parseTime } from './parse-time.ts'
import type { PartitionPolicy } from './policy.ts'
import type { PartitionPolicyOptions } from './policy-options.ts'
import { type ParsedPolicy, policySchema } from './policy-schema.ts'

/**
 * Defines how one table is partitioned by time on every shard; call it twice, so that the table and the columns are
 * checked against `Database`.
 * @throws PartitionError PARTITION_POLICY_INVALID
 * @example
 * const transactions = definePartitions<Database>()({
 *   table: 'transactions', by: 'created_at', every: 'month', premake: 3,
 *   retention: { keep: '12 months', then: 'detach' },
 * })
 */
export function definePartitions<Database>(): (options: PartitionPolicyOptions<Database>) => PartitionPolicy {
  return (options) => resolvePolicy(options)
}

function resolvePolicy(options: unknown): PartitionPolicy {
  const parsed = policySchema.safeParse(options)
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'policy'}: ${issue.message}`)
    throw invalid(issues.join('; '))
  }
  const policy = parsed.data
  const key = partitionKey(policy.key)
  check(policy)
  const [schema, table] = splitName(policy)
  return Object.freeze({
    schema,
    table,
    by: policy.by,
    key,
    zone: policy.zone,
    calendar: new Calendar(policy.every, key.wall ? 'UTC' : policy.zone, anchorOf(policy)),
    premake: policy.premake,
    from: policy.from === undefined ? undefined : parseFrom(policy.from, key, policy.zone),
    fillGaps: policy.fillGaps,
    retention: policy.retention && Object.freeze({ ...policy.retention }),
    defaultRows: policy.defaultRows,
    repairBatchRows: policy.repairBatchRows,
    indexes: Object.freeze(policy.indexes.map((index) => Object.freeze({ ...index, where: index.where }))),
    analyzeEvery: policy.analyzeEvery,
    columnar: policy.columnar && Object.freeze({ ...policy.columnar }),
  })
}

function anchorOf({ anchor, weekStart }: ParsedPolicy): string | undefined {
  return weekStart === undefined ? anchor : `1970-01-${String(5 + weekDays.indexOf(weekStart)).padStart(2, '0')}`
}

function check(policy: ParsedPolicy): void {
  if (policy.weekStart !== undefined && policy.every.unit !== 'week') throw invalid('weekStart: goes with week only')
  if (policy.anchor !== undefined && !(policy.every.unit === 'day' && policy.every.count > 1)) {
    throw invalid("anchor: goes with 'N days' only")
  }
  if (policy.key === 'date' && policy.every.unit === 'hour') {
    throw invalid('every: a date key cannot be partitioned by hour')
  }
  for (const index of policy.indexes) {
    if (index.unique && !index.columns.includes(policy.by)) {
      throw invalid(`indexes: the unique index ${index.name} must contain the partition key ${policy.by}`)
    }
  }
  const names = policy.indexes.map((index) => index.name)
  if (new Set(names).size !== names.length) throw invalid('indexes: two indexes have the same name')
}

function splitName(policy: ParsedPolicy): [schema: string, table: string] {
  const dot = policy.table.indexOf('.')
  return dot < 0 ? [policy.schema, policy.table] : [policy.table.slice(0, dot), policy.table.slice(dot + 1)]
}

function parseFrom(text: string, key: PartitionKey, zone: string): Position {
  const position = parseTime(text, key, zone)
  if (position === undefined) throw invalid(`from: '${text}' is not an ISO date or time`)
  return position
}

function invalid(reason: string): PartitionError {
  return new PartitionError({
    code: 'PARTITION_POLICY_INVALID',
    message: `The partition policy is not valid: ${reason}`,
  })
}
