/** One thing in which a live Citus cluster is not what the schema says. */
export interface CitusDifference {
  /** As in the `Database` type. */
  readonly table: string
  readonly problem:
    | 'missing-table'
    | 'not-distributed'
    | 'distribution-column'
    | 'distribution-type'
    | 'colocation'
    | 'replication'
    | 'not-reference'
    | 'not-local'
  readonly expected: string
  readonly found: string
  /** SQL for the coordinator that mends it; empty where a migration has to. It may move or rewrite data: look at it first. */
  readonly sql: readonly string[]
}
