// Type tests of defineRepository: checked by `npm run types`, never run.
import {
  defineRepository,
  defineSchema,
  type Repository,
  type RepositoryTypes,
  reference,
  type ShardKey,
  sharded,
} from '@shardwright/core'
import type { ShardRouter } from '@shardwright/shard-router'
import type { Generated, Kysely, Transaction } from 'kysely'
import { expectTypeOf } from 'vitest'

interface Database {
  wallets: { festival_id: ShardKey<string>; id: Generated<string>; balance: string; note: string | null }
  festivals: { id: string; name: string }
  'app.orders': { user_id: ShardKey<bigint, string | bigint>; id: string }
}
declare const db: Kysely<Database>
declare const trx: Transaction<Database>
declare const confined: Kysely<Pick<Database, 'wallets' | 'festivals'>>
declare const other: Kysely<Pick<Database, 'festivals'>>

const wallets = defineRepository<Database>()('wallets', { id: ['festival_id', 'id'], key: 'festival_id' })
const festivals = defineRepository<Database>()('festivals', { id: ['id'] })
const orders = defineRepository<Database>()('app.orders', { id: ['id'], key: 'user_id' })

const bound = wallets.with(db)
wallets.with(trx)
wallets.with(confined)
// @ts-expect-error a Kysely without the table
wallets.with(other)

// All doors of a router, as the docs write them.
const schema = defineSchema<Database>()({
  tables: { wallets: sharded('festival_id'), festivals: reference(), 'app.orders': sharded('user_id') },
})
declare const router: ShardRouter<typeof schema>
const row = { festival_id: 'f', balance: '0' }
const key = { festival_id: 'f' }
wallets.with(router.db).insert(row)
wallets.with(router.fanOut()).findMany(key)
wallets.with(router.for(key)).insert(row)
router
  .for(key)
  .transaction()
  .execute((own) => wallets.with(own).insert(row))
router
  .for(key)
  .transaction()
  .execute((own) => festivals.with(own).findMany({}))
router.idempotent(router.for(key).transaction()).execute((own) => wallets.with(own).insert(row))
router.transaction({ crossShard: 'atomic' }).execute((own) => wallets.with(own).insert(row))
router
  .for(key)
  .startTransaction()
  .execute()
  .then((own) => wallets.with(own).insert(row))
router
  .startTransaction({ crossShard: 'atomic' })
  .execute()
  .then((own) => wallets.with(own).insert(row))
router
  .for(key)
  .connection()
  .execute((own) => wallets.with(own).insert(row))
router
  .for({ user_id: 7n })
  .transaction()
  // @ts-expect-error a table of another family
  .execute((own) => wallets.with(own).insert(row))
// @ts-expect-error a table of another family
wallets.with(router.for({ user_id: 7n }))

expectTypeOf(bound.findById({ festival_id: 'f', id: 'w' })).resolves.toEqualTypeOf<
  { festival_id: string; id: string; balance: string; note: string | null } | undefined
>()
// @ts-expect-error without the key
bound.findById({ id: 'w' })
// @ts-expect-error without the id
bound.findById({ festival_id: 'f' })
bound.findMany({ festival_id: 'f', note: null }, { orderBy: ['id', ['balance', 'desc']], limit: 10 })
bound.findMany({ festival_id: ['f', 'g'] })
// @ts-expect-error a filter without the key
bound.findMany({ note: null })
// @ts-expect-error an unknown column
bound.findMany({ festival_id: 'f' }, { orderBy: ['total'] })
bound.insert({ festival_id: 'f', balance: '0' })
// @ts-expect-error an insert without the key
bound.insert({ id: 'w', balance: '0' })
bound.update({ festival_id: 'f', id: 'w' }, { balance: '1' })
// @ts-expect-error an update of the key
bound.update({ festival_id: 'f', id: 'w' }, { festival_id: 'g' })
// @ts-expect-error an update of the id
bound.update({ festival_id: 'f', id: 'w' }, { id: 'v' })
bound.delete({ festival_id: 'f', id: 'w' })
bound.upsert({ festival_id: 'f', id: 'w', balance: '1', note: null })

festivals.with(db).findById({ id: 'f' })
festivals.with(db).findMany({})
orders.with(db).findById({ user_id: 7n, id: 'o' })
orders.with(db).findById({ user_id: '7', id: 'o' })

// @ts-expect-error a key that is no ShardKey column
defineRepository<Database>()('wallets', { id: ['id'], key: 'balance' })
// @ts-expect-error an id column that does not exist
defineRepository<Database>()('wallets', { id: ['uid'], key: 'festival_id' })

// What wraps a repository keeps its type.
declare function cached<R extends RepositoryTypes>(repository: Repository<R>): Repository<R>
expectTypeOf(cached(wallets)).toEqualTypeOf(wallets)
