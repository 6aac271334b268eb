/** A materialized view as the manager knows it; made by `defineView`. */
export interface View {
  readonly kind: 'view'
  readonly schema: string
  readonly name: string
  /** The SELECT, its constants inlined. */
  readonly sql: string
  readonly uniqueOn: readonly string[]
  readonly indexes: readonly ViewIndex[]
  readonly family: string | undefined
  /** Names of relations that the query reads, in the order found. */
  readonly reads: readonly string[]
  readonly refresh: RefreshPolicy
  /** Changes when the query, the unique columns or the indexes do. */
  readonly hash: string
}

export interface ViewIndex {
  readonly name: string
  readonly columns: readonly string[]
}

export interface RefreshPolicy {
  readonly every: Schedule | undefined
  readonly after: ChangeTrigger | undefined
  readonly concurrently: boolean
  /** `statement_timeout` of a refresh on one shard, milliseconds. */
  readonly budgetMs: number
}

export type Schedule = { readonly everyMs: number } | { readonly cron: string; readonly zone: string }

export interface ChangeTrigger {
  readonly changes: number
  readonly seconds: number
}
