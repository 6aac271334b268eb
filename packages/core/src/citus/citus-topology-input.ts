import type { ServerInput } from '../topology/topology-input.ts'

/** What `defineTopology` takes for a Citus cluster, in place of shards. */
export interface CitusTopologyInput {
  readonly engine: 'citus'
  /** Names the topology in reports and lock names. Default: `default`. */
  readonly id?: string | undefined
  /** The coordinator. Its user, password, database and parameters are also those for the other nodes. */
  readonly coordinator: ServerInput
  /**
   * How a node is reached from here, by its name in `pg_dist_node` as `host:port`, where that name means nothing here.
   * Default: the coordinator's URL with the node's host and port.
   */
  readonly nodes?: Readonly<Record<string, ServerInput>> | undefined
  /**
   * Where what needs several nodes is planned: by the coordinator, or reads by any node with metadata in turn.
   * Default: `coordinator`.
   */
  readonly queryFrom?: 'coordinator' | 'any' | undefined
  /**
   * Rows of one shard are read from its own table, past Citus' planner, where that gives the same. Default: true.
   */
  readonly shardReads?: boolean | undefined
  /** How often the metadata is read anew, milliseconds; moved and split shards are also noticed before. Default: 10000. */
  readonly refreshMs?: number | undefined
}
