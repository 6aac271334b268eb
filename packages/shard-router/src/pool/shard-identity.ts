import { createOwnSchema, type Fleet, type Topology } from '@shardwright/core'
import type { Client } from 'pg'
import { poolError } from './pool-error.ts'
import { sqlStateOf } from './sql-state.ts'

/** `verify`: a database that names another shard is refused. `require`: one that names none is refused too. */
export type IdentityMode = 'off' | 'verify' | 'require'

const createTable = `create table if not exists shardwright.identity (
  only_row boolean primary key default true check (only_row),
  topology text not null,
  shard text not null)`

/**
 * Writes into each shard's database which shard of which topology it is, so that a mixed-up URL is refused at connect.
 * Safe to repeat; a database that already names another shard is left alone.
 * @throws ConnectionError WRONG_SHARD
 * @example
 * await installIdentity(router.fleet, topology)
 */
export async function installIdentity(fleet: Fleet, topology: Pick<Topology, 'id'>): Promise<void> {
  for (const shard of fleet.shards) {
    await using connection = await shard.connect({ applicationName: 'shardwright identity' })
    // Two installers at once: CREATE IF NOT EXISTS is not safe against itself.
    await connection.script('select pg_catalog.pg_advisory_lock(7233173, 1)')
    await connection.script(`${createOwnSchema}; ${createTable}; grant usage on schema shardwright to public;
      grant select on shardwright.identity to public`)
    await connection.query(
      'insert into shardwright.identity (topology, shard) values ($1, $2) on conflict (only_row) do nothing',
      [topology.id, shard.id],
    )
    const { rows } = await connection.query<Identity>('select topology, shard from shardwright.identity')
    checkIdentity(rows[0], { topology: topology.id, shard: shard.id }, shard.address)
  }
}

interface Identity {
  readonly topology: string
  readonly shard: string
}

/**
 * Compares what the database says it is with what the topology says.
 * @throws ConnectionError WRONG_SHARD, IDENTITY_MISSING, IDENTITY_UNREADABLE
 */
export async function verifyIdentity(
  client: Client,
  expected: Identity,
  address: string,
  mode: IdentityMode,
): Promise<void> {
  if (mode === 'off') return
  const identity = await readIdentity(client, expected, address)
  if (identity === undefined && mode === 'verify') return
  if (identity === undefined) {
    throw poolError('IDENTITY_MISSING', `${address} does not say which shard it is.`, {
      shard: expected.shard,
      server: address,
      details: { sent: false },
    })
  }
  checkIdentity(identity, expected, address)
}

// By the catalog: to_regclass fails where others have made the schema and this role may not use it.
const findTable = `select pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_table_privilege(c.oid, 'select') as readable
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'shardwright' and c.relname = 'identity'`

async function readIdentity(client: Client, expected: Identity, address: string): Promise<Identity | undefined> {
  const [table] = (await client.query(findTable)).rows as { readable: boolean }[]
  if (table === undefined) return undefined
  if (!table.readable) {
    throw poolError(
      'IDENTITY_UNREADABLE',
      `${address} says which shard it is, and the role of this process may not read it.`,
      {
        shard: expected.shard,
        server: address,
        details: { sent: false },
      },
    )
  }
  try {
    const found = await client.query('select topology, shard from shardwright.identity')
    return found.rows[0] as Identity | undefined
  } catch (error) {
    // Dropped between the two statements.
    if (sqlStateOf(error) === '42P01') return undefined
    throw error
  }
}

function checkIdentity(actual: Identity | undefined, expected: Identity, address: string): void {
  if (actual?.topology === expected.topology && actual.shard === expected.shard) return
  throw poolError(
    'WRONG_SHARD',
    `${address} should be shard '${expected.shard}' of topology '${expected.topology}', but it is shard ` +
      `'${actual?.shard}' of topology '${actual?.topology}'.`,
    { shard: expected.shard, server: address, details: { actual, sent: false } },
  )
}
