import {
  defineSchema,
  defineTopology,
  type FleetConnection,
  fleetOf,
  inspectCitusTables,
  reference,
  type ShardKey,
  sharded,
  single,
} from '@shardwright/core'
import { type CitusCluster, citusAvailability, citusFromEnvironment } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const { available } = await citusAvailability()

interface Keyed {
  k: ShardKey<string>
}
interface Database {
  first: Keyed
  second: Keyed
  "app.it's": Keyed
  codes: { code: string }
  settings: { name: string }
  summary: Keyed
}

const schema = defineSchema<Database>()({
  tables: {
    first: sharded('k'),
    second: sharded('k'),
    "app.it's": sharded('k', { family: 'other' }),
    codes: reference(),
    settings: single('anywhere'),
    summary: sharded('k'),
  },
})

describe.skipIf(!available)('a schema held against the metadata of Citus', () => {
  let citus: CitusCluster
  let connection: FleetConnection
  const differences = async () =>
    (await inspectCitusTables(connection, schema)).map(({ table, problem }) => `${table} ${problem}`)

  beforeAll(async () => {
    citus = await citusFromEnvironment()
    const database = await citus.createDatabase()
    connection = await fleetOf(defineTopology(database.topologyInput()), pg.Client as never).shards[0]!.connect()
    await connection.query('create schema app')
  }, 60_000)
  afterAll(async () => {
    await connection?.release()
    await citus?.stop()
  })

  it('names each thing that differs, and says the SQL that mends it', { timeout: 60_000 }, async () => {
    expect(await differences()).toEqual([
      'first missing-table',
      'second missing-table',
      "app.it's missing-table",
      'codes missing-table',
      'settings missing-table',
      'summary missing-table',
    ])
    for (const table of ['first', 'second', `app."it's"`]) {
      await connection.query(`create table ${table} (k bigint not null, other bigint not null)`)
    }
    await connection.query('create table codes (code text primary key)')
    await connection.query('create table settings (name text primary key)')
    await connection.query('create view summary as select k from first')
    expect(await differences()).toEqual([
      'first not-distributed',
      'second not-distributed',
      "app.it's not-distributed",
      'codes not-reference',
    ])
    await connection.query(`select create_reference_table('first')`)
    await connection.query(
      `select create_distributed_table('second', 'other', colocate_with => 'none', shard_count => 4)`,
    )
    await connection.query(
      `select create_distributed_table('app."it''s"', 'k', colocate_with => 'none', shard_count => 4)`,
    )
    await connection.query(`select create_distributed_table('settings', 'name', shard_count => 4)`)
    expect(await differences()).toEqual([
      'first not-distributed',
      'second distribution-column',
      'codes not-reference',
      'settings not-local',
    ])
    // Its own advice leads to nothing left to say.
    for (let round = 0; round < 4; round++) {
      for (const { sql } of await inspectCitusTables(connection, schema)) {
        for (const statement of sql) await connection.query(statement)
      }
    }
    expect(await differences()).toEqual([])
  })

  it('tells other groups and other types apart', { timeout: 60_000 }, async () => {
    await connection.query('drop table second')
    await connection.query('create table second (k bigint not null)')
    await connection.query(`select create_distributed_table('second', 'k', colocate_with => 'none', shard_count => 4)`)
    expect(await inspectCitusTables(connection, schema)).toMatchObject([
      { table: 'second', problem: 'colocation', found: expect.stringMatching(/^group \d+$/) },
    ])
    await connection.query('drop table second')
    await connection.query('create table second (k text not null)')
    await connection.query(`select create_distributed_table('second', 'k', colocate_with => 'none', shard_count => 4)`)
    expect(await inspectCitusTables(connection, schema)).toMatchObject([
      { table: 'second', problem: 'distribution-type', expected: 'int8, as first has it', found: 'text', sql: [] },
    ])
  })
})
