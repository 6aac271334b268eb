// Type tests of defineRepository: checked by `npm run types`, never run.
import { defineRepository, type Repository, type RepositoryTypes, type ShardKey } from '@shardwright/core'
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
