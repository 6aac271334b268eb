/** A coordinator and workers with the extension citus. */
export interface CitusCluster extends AsyncDisposable {
  /** The coordinator's URL. */
  readonly url: string
  /** The extension's version, e.g. `13.2-1`. */
  readonly version: string
  /** Creates a database of its own on every node: no two suites meet. */
  createDatabase(): Promise<CitusDatabase>
  /** Drops the databases, and ends what was started for it. Idempotent. */
  stop(): Promise<void>
}

/** One database of a Citus cluster, which has nothing in it but the extension. */
export interface CitusDatabase extends AsyncDisposable {
  /** On the coordinator. */
  readonly url: string
  /** By `host:port` in `pg_dist_node`, the coordinator included: the URL of this database from here. */
  readonly nodes: Readonly<Record<string, string>>
  /** An ordinary PostgreSQL database on the coordinator's server, to compare with: its URL. */
  readonly plainUrl: string
  /** What `defineTopology` takes. */
  topologyInput(): CitusDatabaseTopology
  drop(): Promise<void>
}

export interface CitusDatabaseTopology {
  readonly engine: 'citus'
  readonly coordinator: string
  readonly nodes: Readonly<Record<string, string>>
}
