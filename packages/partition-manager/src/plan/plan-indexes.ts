import type { CatalogState, MissingIndex, ParentIndex } from '../inspect/catalog-state.ts'
import type { IndexPolicy, PartitionPolicy } from '../policy/policy.ts'
import { identifier, qualified } from '../sql/identifier.ts'
import { parentName } from '../sql/partition-sql.ts'
import type { BuildIndex, CreateIndex, PartitionAction } from './action.ts'

/**
 * Completes indexes without blocking writes: an invalid index on the parent first, then one per partition built
 * concurrently and attached; the last attach makes the parent's index valid.
 */
export function planIndexes(state: CatalogState, policy: PartitionPolicy): readonly PartitionAction[] {
  const missing = policy.indexes.filter((wanted) => !state.indexes.some((index) => index.name === wanted.name))
  const incomplete = state.indexes.filter((index) => !index.valid)
  return [
    ...incomplete.flatMap((index) => index.missing.map((partition) => buildIndex(index, partition))),
    ...missing.map((index) => createIndex(state, index)),
  ]
}

function createIndex(state: CatalogState, index: IndexPolicy): CreateIndex {
  return Object.freeze({
    kind: 'create-index',
    index,
    sql: [
      `create ${index.unique ? 'unique ' : ''}index ${identifier(index.name)} on only ${parentName(state)} ${indexDefinition(index)}`,
      '-- then on every partition: create index concurrently, alter index ... attach partition',
    ],
  })
}

export function indexDefinition(index: IndexPolicy): string {
  const columns = index.columns.map(identifier).join(', ')
  const include = index.include.length === 0 ? '' : ` include (${index.include.map(identifier).join(', ')})`
  return `using ${index.using} (${columns})${include}${index.where === undefined ? '' : ` where (${index.where})`}`
}

export function buildIndex(
  index: Pick<ParentIndex, 'name' | 'schema' | 'unique' | 'definition'>,
  missing: MissingIndex,
): BuildIndex {
  const child = qualified(missing.partitionSchema, missing.name)
  if (missing.partitioned)
    return Object.freeze({ kind: 'build-index', index, missing, sql: partitionedSql(index, missing) })
  const sql: string[] = []
  if (missing.leftover === 'invalid') sql.push(`drop index concurrently ${child}`)
  if (missing.leftover !== 'valid') {
    const on = qualified(missing.partitionSchema, missing.partition)
    const unique = index.unique ? 'unique ' : ''
    sql.push(`create ${unique}index concurrently ${identifier(missing.name)} on ${on} ${index.definition}`)
  }
  sql.push(`alter index ${qualified(index.schema, index.name)} attach partition ${child}`)
  return Object.freeze({ kind: 'build-index', index, missing, sql })
}

function partitionedSql(
  index: Pick<ParentIndex, 'name' | 'schema' | 'unique' | 'definition'>,
  missing: MissingIndex,
): readonly string[] {
  const on = qualified(missing.partitionSchema, missing.partition)
  const attach = `alter index ${qualified(index.schema, index.name)} attach partition ${qualified(missing.partitionSchema, missing.name)}`
  const create = `create ${index.unique ? 'unique ' : ''}index ${identifier(missing.name)} on only ${on} ${index.definition}`
  return [
    ...(missing.leftover === 'none' ? [create] : []),
    `-- then on every partition of ${on}: create index concurrently, alter index ... attach partition`,
    attach,
  ]
}
