import type { FleetConnection } from '@shardwright/core'

/** A count and an order-free checksum of all rows of a table. */
export interface RowChecksum {
  readonly rows: bigint
  /** Sum of 64-bit hashes of the rows' texts, in decimal. */
  readonly checksum: string
}

/**
 * Reads a table once. Rows are compared by their text under the session's pinned settings.
 * @param source what follows FROM, with the alias `t`: `only "public"."orders" as t`
 */
export async function checksumRows(
  connection: Pick<FleetConnection, 'query'>,
  source: string,
  row = 't',
): Promise<RowChecksum> {
  const { rows } = await connection.query<{ rows: string; checksum: string }>(
    `select count(*)::text as rows,
            coalesce(sum(hashtextextended((${row})::text, 0)::numeric), 0)::text as checksum
       from ${source}`,
  )
  const found = rows[0] as { rows: string; checksum: string }
  return Object.freeze({ rows: BigInt(found.rows), checksum: found.checksum })
}

export function sameRows(a: RowChecksum, b: RowChecksum): boolean {
  return a.rows === b.rows && a.checksum === b.checksum
}
