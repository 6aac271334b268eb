import type { FleetConnection } from '@shardwright/core'
import { tableExistsSql } from './decision-table.ts'
import { gidName } from './gid.ts'
import type { OpenShards } from './open-shards.ts'
import { listPrepared } from './prepared-parts.ts'

const atOnce = 10_000

/** Removes the decision rows of a shard that nobody can need any more; returns how many. */
export async function forgetDecisions(
  decider: FleetConnection,
  shards: OpenShards,
  topologyId: string,
): Promise<number> {
  const { rows } = await decider.query<{ there: boolean }>(`select ${tableExistsSql} as there`)
  if (rows[0]?.there !== true) return 0
  return (await forgetCommits(decider, shards, topologyId)) + (await forgetAborts(decider, topologyId))
}

/**
 * A commit row goes when every participant answers and none of them holds a part of it. The rows are read before the
 * participants: a row is there only after all parts were prepared, so what is not prepared then is settled.
 */
async function forgetCommits(decider: FleetConnection, shards: OpenShards, topologyId: string): Promise<number> {
  const { rows } = await decider.query<{ txid: string; participants: string[] }>(
    `select txid, participants from shardwright.transaction_decision
     where outcome = 'commit' and topology = $1 order by txid limit ${atOnce}`,
    [gidName(topologyId)],
  )
  if (rows.length === 0) return 0
  const pending = new Set<string>()
  for (const connection of shards.connections.values()) {
    for (const { name } of await listPrepared(connection, topologyId)) pending.add(name.txid)
  }
  const settled = rows.filter(
    ({ txid, participants }) => !pending.has(txid) && participants.every((name) => shards.connections.has(name)),
  )
  if (settled.length === 0) return 0
  const { rowCount } = await decider.query(
    "delete from shardwright.transaction_decision where outcome = 'commit' and txid = any($1::uuid[])",
    [settled.map(({ txid }) => txid)],
  )
  return rowCount ?? 0
}

/**
 * An abort row goes when every transaction of its server that began to write before it has ended: the decider had a
 * number before anything was prepared, thus before recovery could see it and write the row.
 */
async function forgetAborts(decider: FleetConnection, topologyId: string): Promise<number> {
  const { rowCount } = await decider.query(
    `delete from shardwright.transaction_decision where outcome = 'abort' and topology = $1
     and decided_xid < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())`,
    [gidName(topologyId)],
  )
  return rowCount ?? 0
}
