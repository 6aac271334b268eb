import { Random } from '../random.ts'
import { filledColumns, keyTypes, sampleOf, type TableName, tableNames, tables, type WorldKeyType } from './columns.ts'

export type Row = Readonly<Record<string, unknown>>

/** Shards of PostgreSQL that the router merges, or a Citus cluster. */
export type WorldEngine = 'hash' | 'citus'

/** A schema with its data, before it is in any database. */
export interface World {
  readonly seed: string
  readonly engine: WorldEngine
  /** The major version of PostgreSQL: statements have nothing that it lacks. */
  readonly postgres: number
  readonly shards: number
  readonly hash: 'postgres' | 'murmur3'
  readonly keyType: WorldKeyType
  /** Keys placed by hand, with the index of their shard. */
  readonly pins: readonly { readonly key: string | number; readonly shard: number }[]
  /** Values come as their type and wire text instead of what the driver makes of them. */
  readonly typed: boolean
  /** All keys, the first with the most rows; the last ones without any. */
  readonly keys: readonly (string | number)[]
  readonly rows: Readonly<Record<TableName, readonly Row[]>>
}

export const shardCounts = [1, 2, 3, 7] as const

type WorldPlace = Pick<World, 'engine' | 'postgres'>

export function createWorld(
  seed: string,
  number: number,
  { engine, postgres }: WorldPlace = { engine: 'hash', postgres: 18 },
): World {
  const random = new Random(`${seed}/world/${number}`)
  // One shard proves little of merging: it has a small share.
  const shards = [3, 2, 7, 3, 2, 3, 7, 1][number % 8] as number
  const keyType = keyTypes[(number + Math.floor(number / 8)) % keyTypes.length] as WorldKeyType
  const keys = makeKeys(keyType, random.between(10, 16), random)
  const used = keys.slice(0, -3)
  const skewed = () => (random.chance(0.3) ? (used[0] as string | number) : random.pick(used))
  const sizes: Record<TableName, number> = {
    t: random.between(40, 90),
    u: random.chance(0.07) ? 0 : random.between(20, 60),
    x: random.between(0, 25),
    p: random.between(5, 30),
    w: random.between(5, 25),
    r: random.between(4, 10),
    o: 4,
    c: random.between(0, 25),
    e: random.between(0, 8),
    q: random.between(0, 6),
  }
  const nulls = random.pick([0.05, 0.2, 0.5])
  const rows = Object.fromEntries(
    tableNames.map((table) => [table, Array.from({ length: sizes[table] }, (_, i) => makeRow(table, i + 1))]),
  ) as unknown as World['rows']
  const hash = random.chance(0.7) ? 'postgres' : 'murmur3'
  const pins = random.chance(0.4) ? random.some(used, 1, 3).map((key) => ({ key, shard: random.below(shards) })) : []
  const typed = number % 2 === 1
  return { seed: `${seed}/${number}`, engine, postgres, shards, hash, keyType, pins, typed, keys, rows }

  function makeRow(table: TableName, id: number): Row {
    const row: Record<string, unknown> = {}
    for (const { name, kind } of tables[table]) {
      if (kind === 'id') row[name] = id
      else if (kind === 'key') row[name] = skewed()
      else if (name === 'h') row[name] = random.between(1, 9)
      else if (name === 'tid') row[name] = random.between(1, sizes.t)
      else row[name] = random.chance(nulls) ? null : sampleOf(kind, random)
    }
    for (const { name, like } of filledColumns[table] ?? []) if (like === 'number') row[name] = id
    return row
  }
}

function makeKeys(type: WorldKeyType, count: number, random: Random): (string | number)[] {
  const base = random.between(0, 50)
  return Array.from({ length: count }, (_, i) => keyOfType(type, base, i))
}

const textKeys = ['k', 'K', 'ö', '10', '9', 'a b', '', "o'x", 'é', 'e\u0301']

function keyOfType(type: WorldKeyType, base: number, i: number): string | number {
  switch (type) {
    case 'int4':
      return base + i - 3
    case 'int8':
      return i % 3 === 2 ? String(9007199254740993n + BigInt(base + i)) : String(base + i)
    case 'int2':
      return base + i - 3
    case 'text':
    case 'varchar':
      return textKeys[i] ?? `key ${base + i}`
    case 'date':
      return new Date(Date.UTC(2024, 1, 20 + base + i)).toISOString().slice(0, 10)
    case 'timestamp':
    case 'timestamptz':
      // Microseconds, and the same instant is written in one way only.
      return `${new Date(Date.UTC(1999, 11, 31, 23, base + i)).toISOString().slice(0, 19).replace('T', ' ')}.${String(i * 137).padStart(6, '0')}${type === 'timestamptz' ? '+00' : ''}`
    case 'uuid':
      return `00000000-0000-4000-8000-${String((base + i) * 7919).padStart(12, '0')}`
  }
}
