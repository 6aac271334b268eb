import { Random } from '../random.ts'
import { keyTypes, sampleOf, type TableName, tableNames, tables, type WorldKeyType } from './columns.ts'

export type Row = Readonly<Record<string, unknown>>

/** A schema with its data, before it is in any database. */
export interface World {
  readonly seed: string
  readonly shards: number
  readonly hash: 'postgres' | 'murmur3'
  readonly keyType: WorldKeyType
  /** All keys, the first with the most rows; the last ones without any. */
  readonly keys: readonly (string | number)[]
  readonly rows: Readonly<Record<TableName, readonly Row[]>>
}

export const shardCounts = [1, 2, 3, 7] as const

export function createWorld(seed: string, number: number): World {
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
    w: random.between(5, 25),
    r: random.between(4, 10),
    o: 4,
  }
  const nulls = random.pick([0.05, 0.2, 0.5])
  const rows = Object.fromEntries(
    tableNames.map((table) => [table, Array.from({ length: sizes[table] }, (_, i) => makeRow(table, i + 1))]),
  ) as unknown as World['rows']
  return { seed: `${seed}/${number}`, shards, hash: random.chance(0.7) ? 'postgres' : 'murmur3', keyType, keys, rows }

  function makeRow(table: TableName, id: number): Row {
    const row: Record<string, unknown> = {}
    for (const { name, kind } of tables[table]) {
      if (kind === 'id') row[name] = id
      else if (kind === 'key') row[name] = skewed()
      else if (name === 'h') row[name] = random.between(1, 9)
      else if (name === 'tid') row[name] = random.between(1, sizes.t)
      else row[name] = random.chance(nulls) ? null : sampleOf(kind, random)
    }
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
    case 'text':
      return textKeys[i] ?? `key ${base + i}`
    case 'uuid':
      return `00000000-0000-4000-8000-${String((base + i) * 7919).padStart(12, '0')}`
  }
}
