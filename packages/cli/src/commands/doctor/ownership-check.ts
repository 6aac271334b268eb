import {
  type FleetConnection,
  type KeyType,
  locate,
  ownershipExpression,
  type ShardedTable,
  shardIndexOf,
  type Topology,
} from '@shardwright/core'
import { hashTopology } from '../../config/engine.ts'
import { type Check, onEveryShard, type Symptom } from './check.ts'

/** Counts rows that sit on a shard which does not own their key. */
export const ownershipCheck: Check = {
  name: 'ownership',
  run: async (patient) => {
    const { keys } = patient
    if (!keys)
      return [
        {
          check: 'ownership',
          severity: 'warning',
          message: 'the shard keys cannot be read, so ownership is not checked',
          remedy: 'Migrate the shards first.',
        },
      ]
    const topology = hashTopology(patient.topology, 'shardwright citus check')
    const tables = patient.schema.tables.filter((table) => table.kind === 'sharded')
    return await onEveryShard(patient, 'ownership', async (connection) => {
      const symptoms: Symptom[] = []
      for (const table of tables) {
        const strays = await countStrays(connection, topology, table, keys.byTable.get(table.name)!)
        if (strays > 0) symptoms.push(symptom(connection.shardId, table, strays))
      }
      return symptoms
    })
  },
}

async function countStrays(
  connection: FleetConnection,
  topology: Topology,
  table: ShardedTable,
  type: KeyType,
): Promise<number> {
  const name = `${quote(table.schema)}.${quote(table.table)}`
  const key = quote(table.key)
  if (topology.hash !== 'postgres') return await countInProcess(connection, topology, table, type)
  const owned = ownershipExpression(topology, connection.shardId, {
    family: table.family,
    type,
    columnSql: key,
  })
  const { rows } = await connection.query<{ strays: number }>(
    `select count(*)::float8 as strays from ${name} where (${owned}) is not true`,
  )
  return rows[0]?.strays ?? 0
}

/** murmur3 has no expression on the server: distinct keys come here, in batches. */
async function countInProcess(
  connection: FleetConnection,
  topology: Topology,
  table: ShardedTable,
  type: KeyType,
): Promise<number> {
  const own = shardIndexOf(topology, connection.shardId)
  let strays = 0
  await connection.query('begin read only')
  await connection.query(
    `declare shardwright_keys no scroll cursor for select ${quote(table.key)}::text as key, count(*)::float8 as rows from ${quote(table.schema)}.${quote(table.table)} group by 1`,
  )
  for (;;) {
    const { rows } = await connection.query<{ key: string; rows: number }>('fetch forward 5000 from shardwright_keys')
    if (rows.length === 0) break
    for (const row of rows)
      if (locate(topology, { family: table.family, type, value: row.key }).shard !== own) strays += row.rows
  }
  await connection.query('rollback')
  return strays
}

function symptom(shard: string, table: ShardedTable, strays: number): Symptom {
  return {
    check: 'ownership',
    severity: 'error',
    shard,
    message: `${strays} rows of ${table.name} sit here although another shard owns their ${table.key}`,
    remedy: 'No routed query finds them. Move them to their shard, then add the ownership CHECK (addOwnershipCheck).',
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
