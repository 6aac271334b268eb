// Type tests of the router's doors: checked by `npm run types`, never run.
import { defineSchema, reference, type ShardKey, sharded, single } from '@shardwright/core'
import { createShardRouter } from '@shardwright/shard-router'
import { CamelCasePlugin, type Kysely } from 'kysely'
import { expectTypeOf } from 'vitest'

interface Database {
  wallets: { festival_id: ShardKey<string>; id: string; balance: string }
  stands: { festival_id: ShardKey<string>; id: number; name: string }
  accounts: { id: ShardKey<bigint, string | bigint>; name: string | null }
  tickets: { user_id: ShardKey<bigint, string | bigint>; id: string; festival: string }
  festivals: { id: string; name: string }
  settings: { name: string }
}

const schema = defineSchema<Database>()({
  tables: {
    wallets: sharded('festival_id'),
    stands: sharded('festival_id'),
    accounts: sharded('id', { family: 'user_id' }),
    tickets: sharded('user_id'),
    festivals: reference(),
    settings: single('shard-1'),
  },
})
const router = createShardRouter({
  schema,
  topology: { hash: 'postgres', shards: [] },
  plugins: [new CamelCasePlugin()],
})

// The type stays Kysely: what takes one takes the router's.
expectTypeOf(router.db).toEqualTypeOf<Kysely<Database>>()
expectTypeOf(router.fanOut()).toEqualTypeOf<Kysely<Database>>()
expectTypeOf(router.onShard('shard-1')).toEqualTypeOf<Kysely<Database>>()
expectTypeOf(router.reads('primary')).toEqualTypeOf<Kysely<Database>>()
declare function service(db: Kysely<Database>): void
service(router.db)
service(router.fanOut())
router.db.transaction().execute(async (trx) => service(trx))
router.transaction({ crossShard: 'atomic' }).execute(async (trx) => service(trx))

// One key: its family and the reference tables, nothing else.
const festival = router.for({ festival_id: 'f' })
expectTypeOf(festival).toEqualTypeOf<Kysely<Pick<Database, 'wallets' | 'stands' | 'festivals'>>>()
festival.selectFrom('wallets').innerJoin('stands', 'stands.festival_id', 'wallets.festival_id').selectAll('stands')
festival.selectFrom('festivals').selectAll()
// @ts-expect-error a table of another family
festival.selectFrom('tickets')
// @ts-expect-error a table of another family, joined
festival.selectFrom('wallets').innerJoin('tickets', 'tickets.festival', 'wallets.festival_id')
// @ts-expect-error a table of another family, inserted into
festival.insertInto('accounts')
// @ts-expect-error a table of one shard
festival.selectFrom('settings')
festival.transaction().execute(async (trx) => {
  trx.updateTable('wallets').set({ balance: '0' })
  // @ts-expect-error a table of another family, in the transaction
  trx.deleteFrom('tickets')
})

const user = router.for({ user_id: 7n })
expectTypeOf(user).toEqualTypeOf<Kysely<Pick<Database, 'accounts' | 'tickets' | 'festivals'>>>()
router.for({ user_id: '7' })
// @ts-expect-error a key of the wrong type
router.for({ festival_id: 7n })
// @ts-expect-error an unknown family
router.for({ tenant_id: 'a' })
// @ts-expect-error no key
router.for({})
// @ts-expect-error keys of two families
router.for({ festival_id: 'f', user_id: 7n })

// Inserts and updates through any door.
router.db.insertInto('wallets').values({ festival_id: 'f', id: 'w', balance: '0' })
// @ts-expect-error an insert without the key
router.db.insertInto('wallets').values({ id: 'w', balance: '0' })
// @ts-expect-error an update of the key
router.fanOut().updateTable('wallets').set({ festival_id: 'g' })
// @ts-expect-error an update of the key under its own name
router.db.updateTable('accounts').set({ id: 8n })

// Rows keep their types through the merge.
const perName = router
  .fanOut()
  .selectFrom('stands')
  .select(({ fn }) => ['name', fn.countAll<string>().as('count')])
expectTypeOf(perName.execute()).resolves.toEqualTypeOf<{ name: string; count: string }[]>()
expectTypeOf(router.collect(perName, { partial: true })).resolves.toHaveProperty('missing')
// @ts-expect-error a partial result is asked for by name
router.collect(perName, {})
