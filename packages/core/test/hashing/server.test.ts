import {
  bucketExpression,
  bucketOf,
  canonicalKey,
  citusHash,
  type KeyType,
  keyTypes,
  partitionHash,
} from '@shardwright/core'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { samples, seed } from '../support/property.ts'
import { startTestServer } from '../support/test-server.ts'
import { keySamples } from './key-samples.ts'

const perType = 3000
const buckets = [1, 2, 16, 1024, 65536]

const plainHash: Record<KeyType, string> = {
  int2: 'hashint2(k)',
  int4: 'hashint4(k)',
  int8: 'hashint8(k)',
  text: 'hashtext(k)',
  varchar: 'hashtext(k)',
  uuid: 'uuid_hash(k)',
  date: "hashint4(case when isfinite(k) then k - date '2000-01-01' when k > date '2000-01-01' then 2147483647 else -2147483648 end)",
  timestamp: 'timestamp_hash(k)',
  timestamptz: "timestamp_hash(k at time zone 'UTC')",
}

interface Row {
  canonical: string
  hash: number
  partition: string
  native: boolean
  [bucket: `b${number}`]: string
}

describe(`hashes against the running server (seed ${seed})`, () => {
  let server: Awaited<ReturnType<typeof startTestServer>>
  let client: pg.Client

  beforeAll(async () => {
    server = await startTestServer()
    client = new pg.Client({ connectionString: server.url })
    await client.connect()
    await client.query("set timezone = 'UTC'; set datestyle = 'ISO'")
  })
  afterAll(async () => {
    await client?.end()
    await server?.stop()
  })

  async function askServer(type: KeyType, keys: readonly string[]): Promise<Row[]> {
    await client.query(`drop table if exists p; create table p (k ${type} not null) partition by hash (k)`)
    const columns = buckets.map((n) => `${bucketExpression(type, 'k', n)}::text as b${n}`)
    const { rows } = await client.query<Row>(
      `select k::text as canonical, ${plainHash[type]} as hash, ${columns.join(', ')},
         satisfies_hash_partition('p'::regclass, 1024, ${bucketExpression(type, 'k', 1024)}::int, k) as native,
         satisfies_hash_partition('p'::regclass, 1024, ((${bucketExpression(type, 'k', 1024)} + 1) & 1023)::int, k) as other
       from unnest($1::text[]) with ordinality as input(t, n), lateral (select t::${type} as k) as key order by n`,
      [keys],
    )
    expect(rows.every((row) => 'other' in row && row.other === false)).toBe(true)
    return rows
  }

  it.each(keyTypes)('%s: canonical text, plain hash, partition hash, bucket expression', async (type) => {
    const keys = samples(keySamples[type], perType)
    const rows = await askServer(type, keys)
    expect(rows).toHaveLength(keys.length)
    for (const [i, row] of rows.entries()) {
      const key = keys[i]!
      const context = `${type} ${JSON.stringify(key)}`
      expect(canonicalKey(type, key), context).toBe(row.canonical)
      expect(citusHash(type, key), context).toBe(row.hash)
      for (const n of buckets) {
        expect(bucketOf('postgres', type, key, n), context).toBe(Number(row[`b${n}`]))
        expect(Number(partitionHash(type, key) % BigInt(n)), context).toBe(Number(row[`b${n}`]))
      }
      expect(row.native, context).toBe(true)
      // A canonical text is a fixed point.
      expect(canonicalKey(type, row.canonical), context).toBe(row.canonical)
    }
  })

  it.each(keyTypes)('%s: all 64 bits of the partition hash, by odd moduli', async (type) => {
    const keys = samples(keySamples[type], 500)
    await client.query(`drop table if exists p; create table p (k ${type} not null) partition by hash (k)`)
    const remainders = keys.map((key) => Number(partitionHash(type, key) % 9973n))
    const { rows } = await client.query<{ right: boolean }>(
      `select satisfies_hash_partition('p'::regclass, 9973, r, t::${type}) as right
       from unnest($1::text[], $2::int[]) as input(t, r)`,
      [keys, remainders],
    )
    expect(rows.filter((row) => row.right)).toHaveLength(keys.length)
  })

  it.each(['int8', 'date', 'timestamp', 'timestamptz', 'uuid'] as const)(
    '%s: a text is refused or read as the server reads it',
    async (type) => {
      const odd: Record<typeof type, string[]> = {
        int8: [
          ' 42 ',
          '042',
          '+7',
          '-0',
          '\t1\n',
          '1_000',
          '0x2A',
          '0b101',
          '0o17',
          '-0x8000000000000000',
          '1_',
          '_1',
          '1__0',
          '',
          ' ',
          '-',
          '1.0',
          '1e3',
          '9223372036854775808',
          '0x',
          '１',
        ],
        date: [
          '2024-1-5',
          '2024-02-30',
          '0000-01-01',
          '2023-02-29',
          '2024-13-01',
          ' 2024-01-05 ',
          'Infinity',
          '5874898-01-01',
          '4713-11-23 BC',
          '0004-02-29 BC',
          '0005-02-29 BC',
        ],
        timestamp: [
          '2024-01-05 24:00:00',
          '2024-01-05 24:00:01',
          '2024-01-05 10:00',
          '2024-01-05T10:00:00.9999999',
          '2024-01-05 10:00:00+02',
          '2024-01-05 25:00',
          '2024-01-05 10:60',
          '294277-01-01 00:00:00',
          '2024-01-05 1:02:03',
          '2024-01-05 10:00:00.',
          '2024-01-05 10:00:00.0000005',
          '2024-01-05 10:00:00.0000015',
        ],
        timestamptz: [
          '2024-01-05 10:00:00+16',
          '2024-01-05 10:00:00+15:59',
          '2024-01-05 10:00:00 +02',
          '2024-01-05 10:00:00z',
          '2024-01-05 10:00:00-3',
          '2024-01-05 10:00:00+02:60',
          '294277-01-01 00:00:00+00',
          '294277-01-01 00:00:00+01',
          '4713-11-24 00:00:00+01 BC',
          '4713-11-24 00:00:00-01 BC',
          '1999-12-31 23:59:59.9999996+00',
        ],
        uuid: [
          '018F3C5E-7B1A-7C3D-9E2F-0123456789AB',
          '{018f3c5e7b1a7c3d9e2f0123456789ab}',
          '018f-3c5e-7b1a-7c3d-9e2f-0123-4567-89ab',
          '018f3c5e-7b1a-7c3d-9e2f-0123456789a',
          '018f3c5e-7b1a-7c3d-9e2f-0123456789ab ',
          '{018f3c5e-7b1a-7c3d-9e2f-0123456789ab',
          '018f3c5e7b1a7c3d9e2f0123456789ab}',
          '01-8f3c5e7b1a7c3d9e2f0123456789ab',
          '018f3c5e-7b1a-7c3d-9e2f-0123456789ab-',
          '',
        ],
      }
      const { rows } = await client.query<{ n: number }>("select current_setting('server_version_num')::int as n")
      const version = rows[0]!.n
      let accepted = 0
      for (const text of odd[type]) {
        const theirs = await client.query<{ k: string }>(`select $1::text::${type}::text as k`, [text]).then(
          ({ rows }) => rows[0]!.k,
          () => undefined,
        )
        const ours = attempt(() => canonicalKey(type, text))
        // PostgreSQL 15 refuses the newer spellings itself, so none is ever read as another key.
        if (theirs === undefined && version < 160000 && /_|0[xob]/.test(text)) continue
        // What we accept, the server reads alike; what it refuses, we refuse.
        if (ours !== undefined || theirs === undefined) expect(ours, JSON.stringify(text)).toBe(theirs)
        if (ours !== undefined) accepted++
      }
      expect(accepted).toBeGreaterThan(2)
    },
  )
})

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
