/** What a schema consists of, for comparison. */
export const objectKinds = [
  'setting',
  'schema',
  'extension',
  'collation',
  'type',
  'sequence',
  'table',
  'column',
  'function',
  'aggregate',
  'constraint',
  'index',
  'statistics',
  'view',
  'rule',
  'trigger',
  'policy',
  'owner',
  'grant',
  'event trigger',
] as const

export type ObjectKind = (typeof objectKinds)[number]

/** One object of one shard, in a form that is equal exactly when the objects are. */
export interface CatalogObject {
  readonly kind: ObjectKind
  /** e.g. `public.wallets.balance`. */
  readonly name: string
  /** `schema.table` that it belongs to. */
  readonly table: string | null
  readonly definition: string
  /** SQL that makes it; empty where none can. */
  readonly create: string
  /** SQL that takes it away; empty where none can. */
  readonly drop: string
  /** Parts that can be altered one by one (columns, extensions). */
  readonly parts: Readonly<Record<string, string | null>> | null
}
