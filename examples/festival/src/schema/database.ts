import type { ShardKey } from '@shardwright/core'
import type { ColumnType } from 'kysely'

/** A bigint or numeric: PostgreSQL's text, so that no digit is lost. */
type Exact = ColumnType<string, string | number | bigint, string | number | bigint>

/** The tables of the platform, as Kysely sees them. */
export interface Database {
  festivals: { id: string; name: string; region: Region; country: string }
  users: { id: Exact; name: string; country: string }
  stands: { festival_id: ShardKey<string>; id: number; name: string; kind: string }
  wallets: { festival_id: ShardKey<string>; id: Exact; user_id: Exact; balance: Exact }
  transactions: {
    festival_id: ShardKey<string>
    id: Exact
    wallet_id: Exact
    user_id: Exact
    /** Null for a top-up. */
    stand_id: number | null
    kind: 'top-up' | 'purchase'
    amount: Exact
    created_at: Date
  }
  orders: {
    festival_id: ShardKey<string>
    id: Exact
    wallet_id: Exact
    stand_id: number
    items: number
    total: Exact
    placed_at: Date
  }
  tickets: { user_id: ShardKey<string>; id: Exact; festival_id: string; kind: string; price: Exact }
  sessions: { user_id: ShardKey<string>; id: Exact; device: string; expires_at: Date }
}

export type Region = 'europe' | 'america' | 'asia'
export type TableName = keyof Database & string

/** From parents to children. */
export const tableNames = Object.freeze([
  'festivals',
  'users',
  'stands',
  'wallets',
  'transactions',
  'orders',
  'tickets',
  'sessions',
] as const satisfies readonly TableName[])
