import type { FleetConnection } from '@shardwright/core'

export const transferModes = ['auto', 'force_logical', 'block_writes'] as const
export type TransferMode = (typeof transferModes)[number]

/** One shard (with those co-located) that would go to another node. */
export interface PlannedMove {
  readonly table: string
  readonly shardId: string
  readonly bytes: number
  readonly from: string
  readonly to: string
}

/** The last rebalance job. */
export interface RebalanceJob {
  readonly jobId: string
  readonly state: 'scheduled' | 'running' | 'finished' | 'cancelling' | 'cancelled' | 'failing' | 'failed'
  readonly startedAt: Date | null
  readonly finishedAt: Date | null
  readonly tasks: readonly RebalanceTask[]
  /** Moves by state: `done`, `running`, `runnable`, `blocked`, `error`, ... */
  readonly counts: Readonly<Record<string, number>>
}

export interface RebalanceTask {
  readonly command: string
  readonly state: string
  readonly phase?: string
  readonly message?: string
  readonly retried?: number
}

/** A shard that is being copied now. */
export interface ShardTransfer {
  readonly table: string
  readonly shardId: string
  readonly from: string
  readonly to: string
  readonly bytes: number
  readonly copiedBytes: number
  readonly status: string
}

export interface RebalanceOptions {
  readonly strategy?: string | undefined
  /** Moves away from nodes that shall have no shards, and does nothing else. */
  readonly drainOnly?: boolean
  readonly mode?: TransferMode | undefined
}

export async function planRebalance(
  connection: FleetConnection,
  { strategy, drainOnly = false }: RebalanceOptions,
): Promise<readonly PlannedMove[]> {
  const { rows } = await connection.query<PlannedMove>(
    `select table_name::text as "table", shardid::text as "shardId", shard_size::float8 as bytes,
       sourcename || ':' || sourceport as "from", targetname || ':' || targetport as "to"
     from get_rebalance_table_shards_plan(rebalance_strategy => $1::name, drain_only => $2)`,
    [strategy ?? null, drainOnly],
  )
  return rows
}

/** The job's id; undefined when nothing is to be moved. */
export async function startRebalance(
  connection: FleetConnection,
  { strategy, drainOnly = false, mode = 'auto' }: RebalanceOptions,
): Promise<string | undefined> {
  const { rows } = await connection.query<{ id: string | null }>(
    `select citus_rebalance_start(rebalance_strategy => $1::name, drain_only => $2,
       shard_transfer_mode => $3::text::citus.shard_transfer_mode)::text as id`,
    [strategy ?? null, drainOnly, mode],
  )
  const id = rows[0]?.id
  return id === null || id === '0' ? undefined : id
}

/** Cancels the moves that are left; the shard under way stays where it was. */
export async function stopRebalance(connection: FleetConnection): Promise<void> {
  await connection.query('select citus_rebalance_stop()')
}

/** Undefined when there has been none. */
export async function readRebalance(connection: FleetConnection): Promise<RebalanceJob | undefined> {
  const { rows } = await connection.query<
    Omit<RebalanceJob, 'tasks' | 'counts'> & {
      readonly details: { tasks?: RebalanceTask[]; task_state_counts?: Record<string, number> } | null
    }
  >(
    `select job_id::text as "jobId", state::text as state, started_at as "startedAt", finished_at as "finishedAt", details
     from citus_rebalance_status()`,
  )
  if (!rows[0]) return undefined
  const { details, ...job } = rows[0]
  return { ...job, tasks: details?.tasks ?? [], counts: details?.task_state_counts ?? {} }
}

/** What is being copied now, by a rebalance or by hand. */
export async function readTransfers(connection: FleetConnection): Promise<readonly ShardTransfer[]> {
  const { rows } = await connection.query<ShardTransfer>(
    `select table_name::text as "table", shardid::text as "shardId", sourcename || ':' || sourceport as "from",
       targetname || ':' || targetport as "to", source_shard_size::float8 as bytes, target_shard_size::float8 as "copiedBytes", status
     from get_rebalance_progress() where progress = 1 order by shardid`,
  )
  return rows
}
