import type { Clock, KeyObserver, Schema, Telemetry } from '@shardwright/core'
import type { OngoingWork } from '../dialect/ongoing-work.ts'
import type { Engine } from '../engine/engine.ts'
import type { TravellingRows } from '../merge/relation.ts'
import type { TypeNames } from '../merge/type-names.ts'
import type { Catalog } from '../plan/catalog.ts'
import type { CallValues } from '../plan/source.ts'
import type { TypeParsers } from '../pool/row-reader.ts'
import type { ShardList } from '../pool/shard-list.ts'
import type { AnyShardPool, RunOptions, Statement, StatementResult } from '../pool/shard-pool.ts'
import type { RouterTransaction } from '../transaction/router-transaction.ts'

/** What all statements of a router share at one topology. */
export interface RouterState {
  readonly schema: Schema
  /** The servers, by whose index all else speaks. */
  readonly topology: ShardList
  /** Where keys are, and who runs what needs several servers. */
  readonly engine: Engine
  readonly catalog: Catalog
  readonly pool: AnyShardPool
  readonly types: TypeNames
  /** How values become JavaScript's. */
  readonly parsers: TypeParsers
  readonly telemetry: Telemetry
  readonly keyObserver: KeyObserver | undefined
  readonly clock: Clock
  /** What runs by this topology. */
  readonly ongoing: OngoingWork
}

/** What `router.fanOut` bounds: rows that travel, shards at a time, milliseconds. */
export interface FanOutOptions {
  /** Rows that may travel to be merged by PostgreSQL. Default: 100,000. */
  readonly maxRows?: number | undefined
  /** Shards asked at the same time. Default: all. */
  readonly concurrency?: number | undefined
  /** For the whole statement, milliseconds. */
  readonly deadlineMs?: number | undefined
}

/** What one statement runs in. */
export interface ExecutionContext {
  readonly state: RouterState
  readonly transaction: RouterTransaction | undefined
  /** Where streams outside a transaction get their sessions; the pool when absent. */
  readonly leases?: Pick<AnyShardPool, 'lease'> | undefined
  readonly call: CallValues
  readonly run: RunOptions
  readonly maxRows: number
  readonly concurrency: number
  /** Rows of earlier steps of the statement, by the number of their slot. */
  readonly given?: ReadonlyMap<number, TravellingRows>
  /** Set by an explanation that measures: hears of each statement that the query sends. */
  readonly measure?: (statement: MeasuredStatement) => void
  /** The part of the query whose statements these are; for `measure`. */
  readonly part?: string
  /** The rows of this part are bound into another statement, so `maxRows` bounds them. */
  readonly bounded?: boolean
  /** Set when missing shards are reported instead of thrown. */
  readonly missing: MissingShard[] | undefined
  /** Runs a write over several shards, all or nothing. */
  atomically<T>(work: (transaction: RouterTransaction) => Promise<T>): Promise<T>
}

/** A shard that did not answer a partial read, and why. */
export interface MissingShard {
  readonly shard: string
  readonly error: unknown
}

/** A statement that was sent to a shard for the query itself: one of its parts, or what combines them. */
export interface MeasuredStatement {
  readonly role: 'part' | 'combine'
  readonly part: string | undefined
  readonly shard: number
  readonly rows: number
  readonly timeMs: number
}

/** Runs a statement where the context says: in the transaction, or by itself. */
export function runOn(
  context: ExecutionContext,
  shard: number,
  statement: Statement,
  role?: MeasuredStatement['role'],
): Promise<StatementResult> {
  const { transaction, state, run, measure } = context
  const result = transaction ? transaction.execute(shard, statement, run) : state.pool.execute(shard, statement, run)
  return measure && role ? measured(result, shard, role, context) : result
}

async function measured(
  running: Promise<StatementResult>,
  shard: number,
  role: MeasuredStatement['role'],
  { measure, part, state }: ExecutionContext,
): Promise<StatementResult> {
  const start = state.clock.monotonicMs()
  const result = await running
  measure?.({ role, part, shard, rows: result.rows.length, timeMs: state.clock.monotonicMs() - start })
  return result
}
