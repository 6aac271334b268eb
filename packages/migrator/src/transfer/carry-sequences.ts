import type { FleetShard } from '@shardwright/core'
import { quoteQualified } from '../sql/quote.ts'
import { openPinned } from './pinned-connection.ts'

export interface CarriedSequence {
  readonly name: string
  readonly value: bigint
}

interface SequenceRow {
  readonly schema: string
  readonly name: string
  readonly value: string
}

const sequencesSql = `
select schemaname as schema, sequencename as name, last_value::text as value from pg_sequences
where schemaname !~ '^pg_' and schemaname not in ('information_schema', 'shardwright') and last_value is not null`

/**
 * Sets each sequence of the target to the furthest of the source's shards, so that no value is given out twice; one that is
 * further already, or that the target does not have, is left.
 */
export async function carrySequences(
  from: readonly FleetShard[],
  to: readonly FleetShard[],
  signal: AbortSignal,
): Promise<readonly CarriedSequence[]> {
  const furthest = new Map<string, bigint>()
  for (const shard of from) {
    await using connection = await openPinned(shard, signal)
    for (const { schema, name, value } of (await connection.query<SequenceRow>(sequencesSql)).rows) {
      const sequence = quoteQualified(schema, name)
      const known = furthest.get(sequence)
      if (known === undefined || BigInt(value) > known) furthest.set(sequence, BigInt(value))
    }
  }
  const carried = new Map<string, bigint>()
  for (const shard of to) {
    await using connection = await openPinned(shard, signal)
    for (const [sequence, value] of furthest) {
      const { rowCount } = await connection.query(
        `select setval(s.oid, $2::bigint) from (select to_regclass($1) as oid) s
         where s.oid is not null and coalesce(pg_sequence_last_value(s.oid), 0) < $2::bigint`,
        [sequence, String(value)],
      )
      if (rowCount === 1) carried.set(sequence, value)
    }
  }
  return [...carried].map(([name, value]) => Object.freeze({ name, value }))
}
