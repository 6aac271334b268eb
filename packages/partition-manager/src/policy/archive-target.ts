/**
 * Where the rows of an old partition go before it is dropped: files in a directory, a table in another schema of the
 * same database (the table itself is moved, no row is copied), or a function of yours.
 */
export type ArchiveTarget = { readonly directory: string } | { readonly schema: string } | ArchiveFunction

/**
 * Stores the rows of one partition elsewhere and says how many it stored; any other number than the partition's leaves
 * the partition in place. Called again after a failure: it must replace what it stored before.
 */
export type ArchiveFunction = (source: ArchiveSource) => Promise<{ readonly rows: number | bigint }>

export interface ArchiveSource {
  readonly shard: string
  readonly schema: string
  readonly table: string
  readonly partition: string
  /** The table's number in pg_class: a partition made anew under an old name has another one. */
  readonly oid: string
  /** ISO time of the lower bound, or `MINVALUE`. */
  readonly from: string
  /** ISO time of the upper bound. */
  readonly to: string
  readonly columns: readonly string[]
  /** The rows in the text format of COPY: one line a row, tabs between columns, `\N` for NULL. Read it once. */
  readonly rows: AsyncIterable<Uint8Array>
  readonly signal: AbortSignal
}
