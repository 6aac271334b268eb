import type { PgField } from '@shardwright/core'
import { MergeError } from '../errors/merge-error.ts'
import type { StarColumn } from '../plan/merge-plan.ts'
import type { ShardList } from '../pool/shard-list.ts'

/** What one shard says of its rows. */
interface Described {
  readonly shard: number
  readonly fields: readonly PgField[]
}

/**
 * Rows are merged by position. Between two shards of which one is migrated already, or whose tables were made in another
 * order of columns, a position is not the same column, and values would come under the names of others.
 * @throws MergeError COLUMNS_DIFFER
 */
export function checkColumns(
  parts: readonly Described[],
  stars: readonly StarColumn[] | undefined,
  { shards }: Pick<ShardList, 'shards'>,
): void {
  const [first, ...others] = parts
  if (first === undefined) return
  const nameOf = ({ shard }: Described) => `shard '${shards[shard]?.id ?? shard}'`
  for (const part of others) {
    if (!describedAlike(first.fields, part.fields))
      refuseColumns(`Those of ${nameOf(first)} and ${nameOf(part)} are not alike.`)
  }
  for (const { position, name } of stars ?? []) {
    const found = first.fields[position]?.name
    if (found !== undefined && isCalled(found, name)) continue
    refuseColumns(`'${name}' was column ${position + 1} when the catalog was read, and is not on ${nameOf(first)}.`)
  }
}

function describedAlike(a: readonly PgField[], b: readonly PgField[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  return a.every(({ name, dataTypeID }, index) => {
    const other = b[index] as PgField
    return (
      name === other.name && (dataTypeID === other.dataTypeID || (isOwnType(dataTypeID) && isOwnType(other.dataTypeID)))
    )
  })
}

const firstOwnOid = 16_384

/** A type that was created in the database has another oid on each shard. */
function isOwnType(oid: number): boolean {
  return oid >= firstOwnOid
}

const longestName = 63

/** PostgreSQL cuts long names. */
function isCalled(found: string, name: string): boolean {
  return found === name || (Buffer.byteLength(name) > longestName && name.startsWith(found))
}

function refuseColumns(difference: string): never {
  throw new MergeError({
    code: 'COLUMNS_DIFFER',
    message: `The columns of the rows to be merged have changed, or are not the same on all shards. ${difference}`,
    hint: 'Name the columns in the query in place of `*`; or migrate every shard, then await router.refresh().',
  })
}
