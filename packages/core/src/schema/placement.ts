/** Rows of the table are spread over the shards by `key`. Made by `sharded`. */
export interface ShardedPlacement<Key extends string = string, FamilyName extends string = string> {
  readonly kind: 'sharded'
  readonly key: Key
  readonly family: FamilyName
  readonly fanOut: boolean
}

/** Every shard holds a full copy. Made by `reference`. */
export interface ReferencePlacement {
  readonly kind: 'reference'
}

/** The whole table is on one named shard. Made by `single`. */
export interface SinglePlacement<ShardId extends string = string> {
  readonly kind: 'single'
  readonly shard: ShardId
}

/** Where the rows of one table live. */
export type Placement = ShardedPlacement | ReferencePlacement | SinglePlacement

export interface ShardedOptions {
  /** Tables of one family hold the same key, whatever their column is called. Default: the name of the key column. */
  readonly family?: string
  /** Allows keyless reads of this table to fan out without `router.fanOut()`. Default: false. */
  readonly fanOut?: boolean
}

/** A conditional type, so that the family is never inferred from where the placement is used. */
export type FamilyNamed<Key extends string, Options> = Options extends { readonly family: infer F extends string }
  ? F
  : Key

/**
 * Places a table by its shard key column.
 * @example
 * sharded('festival_id')
 * sharded('id', { family: 'user_id' }) // accounts.id holds the same key as tickets.user_id
 */
export function sharded<const Key extends string, const Options extends ShardedOptions = {}>(
  key: Key,
  options?: Options,
): ShardedPlacement<Key, FamilyNamed<Key, Options>> {
  const family = (options?.family ?? key) as FamilyNamed<Key, Options>
  return Object.freeze({ kind: 'sharded', key, family, fanOut: options?.fanOut ?? false })
}

/**
 * Places a full copy of the table on every shard.
 * @example
 * defineSchema<Database>()({ tables: { festivals: reference() } })
 */
export function reference(): ReferencePlacement {
  return Object.freeze({ kind: 'reference' })
}

/**
 * Places the whole table on one named shard.
 * @example
 * single('shard-1')
 */
export function single<const ShardId extends string>(shard: ShardId): SinglePlacement<ShardId> {
  return Object.freeze({ kind: 'single', shard })
}
