import {
  type CitusMetadata,
  citusNodeServer,
  defineTopology,
  type FleetConnection,
  fleetOf,
  type KeyType,
  keyTypes,
  locateInGroup,
  readCitusMetadata,
} from '@shardwright/core'
import {
  type CitusCluster,
  type CitusDatabase,
  citusAvailability,
  citusFromEnvironment,
} from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keySamples } from '../hashing/key-samples.ts'
import { samples, seed } from '../support/property.ts'

const { available } = await citusAvailability()

describe.skipIf(!available)(`metadata of a Citus cluster (seed ${seed})`, () => {
  let citus: CitusCluster
  let database: CitusDatabase
  let connection: FleetConnection
  const read = () => readCitusMetadata(connection)
  const topology = () => defineTopology(database.topologyInput())

  beforeAll(async () => {
    citus = await citusFromEnvironment()
    database = await citus.createDatabase()
    connection = await fleetOf(topology(), pg.Client as never).shards[0]!.connect()
    for (const type of keyTypes) {
      await connection.script(`create table by_${type} (k ${type} not null)`)
      await connection.query(
        `select create_distributed_table('by_${type}', 'k', colocate_with => 'none', shard_count => 7)`,
      )
    }
    await connection.script(`create schema app;
      create table app.twins (id text primary key);
      create table events (k text not null, at date not null) partition by range (at);
      create table "Events of 2026" partition of events for values from ('2026-01-01') to ('2027-01-01');
      create table festivals (id text primary key);
      create table notes (id int);
      create table unknown (id int);
      select create_distributed_table('app.twins', 'id', colocate_with => 'by_text');
      select create_distributed_table('events', 'k', colocate_with => 'by_text');
      select create_reference_table('festivals');
      select citus_add_local_table_to_metadata('notes')`)
  })

  afterAll(async () => {
    await connection?.release()
    await citus?.stop()
  })

  it('tells what each table is', async () => {
    const metadata = await read()
    const group = metadata.find('by_text', 'public')!.colocationId
    expect(metadata.version).toBe(citus.version)
    expect(metadata.find('twins', 'app')).toMatchObject({
      kind: 'distributed',
      column: 'id',
      columnType: 'text',
      colocationId: group,
    })
    expect(metadata.find('events', 'public')).toMatchObject({
      kind: 'distributed',
      isPartition: false,
      colocationId: group,
    })
    expect(metadata.find('Events of 2026', 'public')).toMatchObject({ kind: 'distributed', isPartition: true })
    expect(metadata.find('festivals', 'public')).toMatchObject({ kind: 'reference', column: undefined })
    expect(metadata.find('notes', 'public')).toMatchObject({ kind: 'local', colocationId: 0 })
    expect(metadata.find('unknown', 'public')).toBeUndefined()
    expect(metadata.find('twins', 'public')).toBeUndefined()
    expect(metadata.find('by_int8', 'public')!.colocationId).not.toBe(group)
  })

  it('names the nodes, and each is reached', async () => {
    const { nodes } = await read()
    expect(nodes.map(({ name }) => name).sort()).toEqual(Object.keys(database.nodes).sort())
    expect(nodes[0]).toMatchObject({ groupId: 0, role: 'primary', metadataSynced: true, active: true })
    for (const node of nodes) {
      const client = new pg.Client({ connectionString: citusNodeServer(topology(), node).url })
      await client.connect()
      const { rows } = await client.query('select groupid from pg_dist_local_group')
      expect(rows).toEqual([{ groupid: node.groupId }])
      await client.end()
    }
  })

  it('reads the same on every node', async () => {
    const own = await read()
    for (const url of Object.values(database.nodes)) {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      const elsewhere = await readCitusMetadata(client as unknown as FleetConnection)
      expect(elsewhere.tables).toEqual(own.tables)
      expect([...elsewhere.groups]).toEqual([...own.groups])
      await client.end()
    }
  })

  it.each(keyTypes)('finds the shard of %s keys as the server does, also after a split', async (type) => {
    const values = samples(keySamples[type], 300)
    expect(ordinals(await read(), type, values)).toEqual(await shardsOf(connection, type, values))
    await split(connection, `by_${type}`)
    const metadata = await read()
    expect(metadata.groups.get(metadata.find(`by_${type}`, 'public')!.colocationId)!.shards).toHaveLength(8)
    expect(ordinals(metadata, type, values)).toEqual(await shardsOf(connection, type, values))
  })

  it('is refused where Citus is not', async () => {
    const client = new pg.Client({ connectionString: database.plainUrl })
    await client.connect()
    await expect(readCitusMetadata(client as unknown as FleetConnection)).rejects.toMatchObject({
      code: 'CITUS_NOT_INSTALLED',
    })
    await client.end()
  })
})

function ordinals(metadata: CitusMetadata, type: KeyType, values: readonly string[]): number[] {
  const group = metadata.groups.get(metadata.find(`by_${type}`, 'public')!.colocationId)!
  return values.map((value) => locateInGroup(group, type, value))
}

/** By the server: the place, in the order of their ranges, of the shard of each value. */
async function shardsOf(connection: FleetConnection, type: KeyType, values: readonly string[]): Promise<number[]> {
  const table = `by_${type}`
  const { rows: shards } = await connection.query<{ id: string }>(
    'select shardid as id from pg_dist_shard where logicalrelid = $1::regclass order by shardminvalue::int',
    [table],
  )
  const { rows } = await connection.query<{ id: string }>(
    `select get_shard_id_for_distribution_column($1::regclass, value::${type}) as id
     from unnest($2::text[]) with ordinality as given(value, n) order by n`,
    [table, values],
  )
  return rows.map(({ id }) => shards.findIndex((shard) => shard.id === id))
}

/** Splits the first shard of a table in two, on the node where it is. */
async function split(connection: FleetConnection, table: string): Promise<void> {
  await connection.query(
    `select citus_split_shard_by_split_points(shardid, array[(shardminvalue::int + 1000)::text],
       array[nodeid, nodeid], 'block_writes')
     from pg_dist_shard join pg_dist_placement using (shardid) join pg_dist_node using (groupid)
     where logicalrelid = $1::regclass and noderole = 'primary' order by shardminvalue::int limit 1`,
    [table],
  )
}
