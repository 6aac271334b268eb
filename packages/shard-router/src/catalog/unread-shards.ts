import type { Schema } from '@shardwright/core'
import type { ShardList } from '../pool/shard-list.ts'
import { checkShard, type KnownShard } from './check-shard.ts'
import { type AskShard, readShardFacts } from './shard-facts.ts'

/** Shards that could not be reached when the catalog was read: each is looked at before anything runs there. */
export class UnreadShards {
  /** Why they were not read, by shard id. */
  readonly reasons: ReadonlyMap<string, unknown>
  readonly #schema: Schema
  readonly #topology: Pick<ShardList, 'shards'>
  readonly #known: KnownShard

  constructor(
    schema: Schema,
    topology: Pick<ShardList, 'shards'>,
    known: KnownShard,
    reasons: ReadonlyMap<string, unknown>,
  ) {
    this.#schema = schema
    this.#topology = topology
    this.#known = known
    this.reasons = reasons
  }

  /** @throws RoutingError CATALOG_MISMATCH, KEY_COLUMN_UNSUITABLE */
  async admit(id: string, ask: AskShard): Promise<void> {
    const facts = await readShardFacts(this.#schema, ask)
    checkShard(this.#schema, { id, facts }, this.#known, this.#topology)
  }
}
