import { createOwnSchema, type PgClient } from '@shardwright/core'
import { transactionError } from './transaction-error.ts'

export type Outcome = 'commit' | 'abort'

/**
 * Where decisions stand. One row per transaction, by its primary key either `commit` (written by the decider in its own
 * transaction) or `abort` (written by recovery). `decided_xid` tells when no transaction that could still commit is left.
 */
const createTableSql = `create table if not exists shardwright.transaction_decision (
  txid uuid primary key,
  outcome text not null check (outcome in ('commit', 'abort')),
  topology text not null,
  participants text[] not null,
  decided_xid xid8 not null default pg_catalog.pg_current_xact_id(),
  decided_at timestamptz not null default pg_catalog.now()
)`

// One key for all installers of one database; the number means nothing.
const installLock = 'select pg_catalog.pg_advisory_xact_lock(7236912054117325::bigint)'

/**
 * The condition that the table is there, for other statements to carry along. By the catalog: to_regclass fails, and with
 * it the transaction that asks, where the role may not use the schema.
 */
export const tableExistsSql = `exists (select from pg_catalog.pg_class c
 join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'shardwright' and c.relname = 'transaction_decision')`

/**
 * Makes the schema and the table when they are missing. Idempotent, and safe when several processes do it at once.
 * @throws TransactionError DECISION_TABLE_UNAVAILABLE
 */
export async function installDecisionTable(client: Pick<PgClient, 'query'>, shard: string): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>(`select ${tableExistsSql} as there`)
  if (rows[0]?.there === true) return
  try {
    await client.query(`begin; ${installLock}; ${createOwnSchema}; ${createTableSql}; commit`)
  } catch (cause) {
    await client.query('rollback')
    throw transactionError(
      'DECISION_TABLE_UNAVAILABLE',
      `The table shardwright.transaction_decision could not be made on shard '${shard}'.`,
      { details: { shard }, cause },
    )
  }
}

interface Decision {
  readonly txid: string
  readonly topology: string
  readonly participants: readonly string[]
}

/**
 * The decision to commit, and the commit of it, in one message: what stands in between is one round trip less in which
 * to fail. All values come from `gidName` and `uuidV7`, which hold no quotes.
 */
export function commitDecisionSql({ txid, topology, participants }: Decision): string {
  const names = participants.map((name) => `'${name}'`).join(', ')
  return `insert into shardwright.transaction_decision (txid, outcome, topology, participants)
 values ('${txid}', 'commit', '${topology}', array[${names}]::text[]); commit`
}

/** Recovery's decision; the unique key makes it wait for a decider that is about to decide. */
export const abortDecisionSql = `insert into shardwright.transaction_decision (txid, outcome, topology, participants)
 values ($1, 'abort', $2, '{}') on conflict (txid) do nothing`

export const readDecisionSql = 'select outcome from shardwright.transaction_decision where txid = $1'
