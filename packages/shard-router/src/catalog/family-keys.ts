import type { KeyType, Schema } from '@shardwright/core'
import { RoutingError } from '../errors/routing-error.ts'
import type { RawTable } from './shard-facts.ts'

/** Integers of all widths hash alike, and so do text and varchar; the widest stands for the family. */
const wider: readonly (readonly KeyType[])[] = [
  ['int8', 'int4', 'int2'],
  ['text', 'varchar'],
]

export function familyTypes(schema: Schema, tables: readonly RawTable[]): ReadonlyMap<string, KeyType> {
  const types = new Map<string, KeyType>()
  for (const family of schema.families.values()) {
    for (const placement of family.tables) {
      const raw = tables.find((table) => table.schema === placement.schema && table.table === placement.table)
      const own = raw?.columns?.find((column) => column.name === placement.key)?.base as KeyType
      const known = types.get(family.name)
      const common = known === undefined || known === own ? own : commonType(known, own)
      if (!common) {
        throw new RoutingError({
          code: 'CATALOG_MISMATCH',
          message: `The tables of key family '${family.name}' have shard keys of types ${known} and ${own}, which are not hashed alike.`,
          hint: 'Give the key columns of a family one type.',
          details: { family: family.name, table: placement.name },
        })
      }
      types.set(family.name, common)
    }
  }
  return types
}

/** atttypmod of varchar(n) is n + 4. */
export function familyLengths(schema: Schema, tables: readonly RawTable[]): ReadonlyMap<string, number> {
  const lengths = new Map<string, number>()
  for (const family of schema.families.values()) {
    for (const placement of family.tables) {
      for (const raw of tables) {
        if (raw.schema !== placement.schema || raw.table !== placement.table) continue
        const column = raw.columns?.find((candidate) => candidate.name === placement.key)
        if (column?.base !== 'varchar' || column.modifier < 4) continue
        lengths.set(family.name, Math.min(lengths.get(family.name) ?? Number.POSITIVE_INFINITY, column.modifier - 4))
      }
    }
  }
  return lengths
}

function commonType(a: KeyType, b: KeyType): KeyType | undefined {
  return wider.find((group) => group.includes(a) && group.includes(b))?.[0]
}
