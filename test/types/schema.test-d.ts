// Type tests of defineSchema: checked by `npm run types`, never run.
import {
  type ConfinedDatabase,
  defineSchema,
  type FamilyKey,
  type KeyOf,
  lookup,
  reference,
  type ShardKey,
  sharded,
  single,
} from '@shardwright/core'
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely'
import { expectTypeOf } from 'vitest'

interface Database {
  wallets: { festival_id: ShardKey<string>; id: string; balance: string }
  orders: { festival_id: ShardKey<string>; id: string; total: number }
  accounts: { id: ShardKey<bigint, string | bigint>; name: string | null }
  tickets: { user_id: ShardKey<bigint, string | bigint>; festival: string }
  festivals: { id: string; name: string }
  settings: { name: string }
}

const schema = defineSchema<Database>()({
  tables: {
    wallets: sharded('festival_id'),
    orders: sharded('festival_id', { fanOut: true }),
    accounts: sharded('id', { family: 'user_id' }),
    tickets: sharded('user_id'),
    festivals: reference(),
    settings: single('shard-1'),
  },
})
type S = typeof schema

expectTypeOf<ConfinedDatabase<S, 'festival_id'>>().toEqualTypeOf<Pick<Database, 'wallets' | 'orders' | 'festivals'>>()
expectTypeOf<ConfinedDatabase<S, 'user_id'>>().toEqualTypeOf<Pick<Database, 'accounts' | 'tickets' | 'festivals'>>()
expectTypeOf<KeyOf<S, 'festival_id'>>().toEqualTypeOf<string>()
expectTypeOf<KeyOf<S, 'user_id'>>().toEqualTypeOf<string | bigint>()

// The shard key column: reads as S, required on insert as I, never updated.
expectTypeOf<Selectable<Database['accounts']>>().toEqualTypeOf<{ id: bigint; name: string | null }>()
expectTypeOf<Insertable<Database['wallets']>>().toMatchTypeOf<{ festival_id: string; id: string; balance: string }>()
expectTypeOf<keyof Updateable<Database['wallets']>>().toEqualTypeOf<'id' | 'balance'>()

declare const db: Kysely<Database>
db.insertInto('wallets').values({ festival_id: 'f', id: 'w', balance: '0' })
// @ts-expect-error an insert without the key
db.insertInto('wallets').values({ id: 'w', balance: '0' })
// @ts-expect-error an update of the key
db.updateTable('wallets').set({ festival_id: 'g' })
// @ts-expect-error an update of the key, by name
db.updateTable('wallets').set('festival_id', 'g')

// One key of one family.
expectTypeOf<{ festival_id: string }>().toMatchTypeOf<FamilyKey<S>>()
expectTypeOf<{ user_id: bigint }>().toMatchTypeOf<FamilyKey<S>>()
// @ts-expect-error two families at once
export const both: FamilyKey<S> = { festival_id: 'f', user_id: 1n }
// @ts-expect-error a key of the wrong type
export const wrong: FamilyKey<S> = { festival_id: 1n }
// @ts-expect-error an unknown family
export type Unknown = ConfinedDatabase<S, 'tenant_id'>

interface Small {
  wallets: {
    festival_id: ShardKey<string>
    id: string
    balance: string
    constant: import('kysely').ColumnType<string, string, never>
  }
  festivals: { id: string }
}

// @ts-expect-error a table without a placement
defineSchema<Small>()({ tables: { wallets: sharded('festival_id') } })
// @ts-expect-error a column that is no ShardKey
defineSchema<Small>()({ tables: { wallets: sharded('id'), festivals: reference() } })
// @ts-expect-error a never-updated column is not a key either
defineSchema<Small>()({ tables: { wallets: sharded('constant'), festivals: reference() } })
// @ts-expect-error a column that does not exist
defineSchema<Small>()({ tables: { wallets: sharded('tenant_id'), festivals: reference() } })
// @ts-expect-error a table that is not in Database
defineSchema<Small>()({ tables: { wallets: sharded('festival_id'), festivals: reference(), stray: reference() } })
// @ts-expect-error not a placement
defineSchema<Small>()({ tables: { wallets: 'festival_id', festivals: reference() } })

interface Nullable {
  a: { k: ShardKey<string | null> }
  b: { k: ShardKey<string, string | undefined> }
}
// @ts-expect-error a key that may be null
defineSchema<Pick<Nullable, 'a'>>()({ tables: { a: sharded('k') } })
// @ts-expect-error a key that may be left out
defineSchema<Pick<Nullable, 'b'>>()({ tables: { b: sharded('k') } })

// Lookups: a column of a sharded table that leads to its own shard key.
const tables = { accounts: sharded('id', { family: 'user_id' }), festivals: reference() } as const
interface Looked {
  accounts: { id: ShardKey<bigint>; name: string | null }
  festivals: { id: string; name: string }
}
defineSchema<Looked>()({ tables, lookups: [lookup({ table: 'accounts', column: 'name', to: 'id', unique: true })] })
defineSchema<Looked>()({
  tables,
  // @ts-expect-error no such column
  lookups: [lookup({ table: 'accounts', column: 'mail', to: 'id' })],
})
defineSchema<Looked>()({
  tables,
  // @ts-expect-error not the shard key
  lookups: [lookup({ table: 'accounts', column: 'name', to: 'name' })],
})
defineSchema<Looked>()({
  tables,
  // @ts-expect-error a reference table is on every shard
  lookups: [lookup({ table: 'festivals', column: 'name', to: 'id' })],
})
defineSchema<Looked>()({
  tables,
  // @ts-expect-error the shard key needs no lookup
  lookups: [lookup({ table: 'accounts', column: 'id', to: 'id' })],
})
