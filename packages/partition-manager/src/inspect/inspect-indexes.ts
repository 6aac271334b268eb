import type { FleetConnection } from '@shardwright/core'
import { fitName } from '../sql/identifier.ts'
import type { MissingIndex, ParentIndex } from './catalog-state.ts'
import { type ChildIndexRow, childIndexQuery, type ParentIndexRow, parentIndexQuery } from './index-query.ts'
import type { PartitionRow } from './partition-query.ts'

/** The indexes of the parent, and for the invalid ones which partitions still lack theirs. */
export async function inspectIndexes(
  connection: FleetConnection,
  parentOid: string,
  partitions: readonly PartitionRow[],
): Promise<readonly ParentIndex[]> {
  const parents = (await connection.query<ParentIndexRow>(parentIndexQuery, [parentOid])).rows
  const incomplete = parents.some((index) => !index.valid)
  const children = incomplete ? (await connection.query<ChildIndexRow>(childIndexQuery, [parentOid])).rows : []
  return parents
    .filter((index) => index.readable)
    .map((index) =>
      Object.freeze({
        oid: index.oid,
        schema: index.schema,
        name: index.name,
        valid: index.valid,
        unique: index.unique,
        definition: index.definition,
        missing: index.valid ? [] : missingOf(index, partitions, children),
      }),
    )
}

function missingOf(
  index: ParentIndexRow,
  partitions: readonly PartitionRow[],
  children: readonly ChildIndexRow[],
): readonly MissingIndex[] {
  return partitions
    .filter((partition) => !partition.detach_pending)
    .filter((partition) => !children.some((c) => c.partition_oid === partition.oid && c.parent_index === index.oid))
    .map((partition) => {
      const name = childIndexName(partition.name, index.name)
      const leftover = children.find((child) => child.partition_oid === partition.oid && child.name === name)
      return Object.freeze({
        partitionSchema: partition.schema,
        partition: partition.name,
        name,
        leftover: leftover ? (leftover.valid ? ('valid' as const) : ('invalid' as const)) : ('none' as const),
        ...(partition.relkind === 'p' && { partitioned: true }),
      })
    })
}

/** Deterministic, so that the next run finds what a killed one left. */
export function childIndexName(partition: string, index: string): string {
  return fitName(`${partition}_${index}`, '_sw')
}
