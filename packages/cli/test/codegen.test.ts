import { createFleet, defineSchema, reference, type ShardKey, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readColumns } from '../src/commands/codegen/read-columns.ts'
import { renderDatabase } from '../src/commands/codegen/render-database.ts'

let cluster: LocalCluster
beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 1, databasePerShard: true })
})
afterAll(() => cluster?.stop())

interface Database {
  wallets: { festivalId: ShardKey<string> }
  'app.kinds': { code: string }
}

it('gives the types that the driver gives, keys marked, names as the schema names them', async () => {
  const schema = defineSchema<Database>({ naming: 'snake_case' })({
    tables: { wallets: sharded('festivalId'), 'app.kinds': reference() },
  })
  const fleet = createFleet({ shards: [{ id: 'a', url: cluster.shards[0]?.url ?? '' }], Client: pg.Client })
  await using connection = await fleet.shards[0]!.connect()
  await connection.script(`set search_path = public; create schema app; create type mood as enum ('ok', 'it''s'); create domain age as int;
    create table wallets (festival_id bigint not null, id int generated always as identity, n int not null default 1, a age, m mood not null, ms mood[],
      big bigint, num numeric, nums numeric[], bigs bigint[], ints int[], at timestamptz, day date, doc jsonb, raw bytea, ok boolean, span interval,
      twice int generated always as (n * 2) stored, primary key (festival_id, id));
    create table app.kinds (code text primary key);
    insert into wallets (festival_id, a, m, ms, big, num, nums, bigs, ints, at, day, doc, raw, ok, span)
      values (1, 2, 'ok', '{ok}', 3, 4.5, '{4.5}', '{5}', '{6}', now(), now(), '{}', '', true, '1 day')`)
  const source = renderDatabase(await readColumns(connection), schema)
  expect(source).toBe(`// Written by \`shardwright codegen\`; changes are lost.
import type { ShardKey } from '@shardwright/core'
import type { Generated, GeneratedAlways } from 'kysely'

export interface Database {
  'app.kinds': {
    code: string
  }
  wallets: {
    festivalId: ShardKey<string>
    id: GeneratedAlways<number>
    n: Generated<number>
    a: number | null
    m: 'ok' | 'it\\'s'
    ms: string | null
    big: string | null
    num: string | null
    nums: number[] | null
    bigs: string[] | null
    ints: number[] | null
    at: Date | null
    day: Date | null
    doc: unknown | null
    raw: Buffer | null
    ok: boolean | null
    span: unknown | null
    twice: GeneratedAlways<number | null>
  }
}
`)
  // The same, said by the driver.
  const { rows } = await connection.query<Record<string, unknown>>('select * from wallets')
  const kind = (value: unknown) =>
    Array.isArray(value)
      ? `${typeof value[0]}[]`
      : value instanceof Date
        ? 'Date'
        : Buffer.isBuffer(value)
          ? 'Buffer'
          : typeof value
  for (const column of ['n', 'a', 'm', 'ms', 'big', 'num', 'nums', 'bigs', 'ints', 'at', 'day', 'raw', 'ok']) {
    const declared = new RegExp(`^    ${column}: (.*)$`, 'm')
      .exec(source)?.[1]
      ?.replace(/Generated<(.*)>/, '$1')
      .replace(' | null', '')
    expect(`${column}: ${kind(rows[0]?.[column])}`).toBe(
      `${column}: ${declared?.startsWith("'") ? 'string' : declared}`,
    )
  }
})

it('names and labels that hold quotes, backslashes and line ends stay what they are', () => {
  const schema = defineSchema<Pick<Database, 'app.kinds'>>()({ tables: { 'app.kinds': reference() } })
  const column = { schema: 'public', type: 'text', nullable: false, hasDefault: false, generated: false }
  const label = `it's a "\\" and a\nline`
  const source = renderDatabase([{ ...column, table: 'a\\', column: label, labels: [label] }], schema)
  const [, table, name, value] = /\n {2}('.*'): \{\n {4}('.*'): ('.*')\n/.exec(source) ?? []
  const read = (literal = '') => new Function(`return ${literal}`)() as string
  expect([read(table), read(name), read(value)]).toEqual(['a\\', label, label])
})
