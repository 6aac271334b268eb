import { type AnyTopology, type Clock, type Fleet, type Schema, systemClock } from '@shardwright/core'
import { z } from 'zod'
import { TransferError } from '../errors/transfer-error.ts'
import { checkedOptions } from '../run/checked-options.ts'

/** One end of a transfer: the servers, and the engine that is on them. */
export interface TransferSide {
  readonly fleet: Fleet
  readonly topology: AnyTopology
}

/** What `transferData` takes. */
export interface TransferOptions {
  /** The placements, which both ends share. */
  readonly schema: Schema
  readonly source: TransferSide
  /** Migrated, and empty but for reference tables, whose rows are replaced. */
  readonly target: TransferSide
  /** Shards of the source that are copied at once. Default 2. */
  readonly concurrency?: number | undefined
  /**
   * Holds a SHARE lock on every table of the source until the end: readers go on, writers wait. Default true. Without it the
   * caller makes sure that nobody writes; a write is then found by the comparison, not prevented.
   */
  readonly holdWrites?: boolean | undefined
  /** How long the SHARE locks may be waited for, milliseconds. Default 10,000. */
  readonly lockTimeoutMs?: number | undefined
  /** Empties the target's tables first, and forgets what an earlier run did. Default false: go on where it stopped. */
  readonly restart?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock | undefined
  readonly onProgress?: ((event: TransferEvent) => void) | undefined
}

/** A step that has ended. */
export type TransferEvent =
  | { readonly step: 'copied' | 'skipped'; readonly table: string; readonly shard: string; readonly rows: bigint }
  | { readonly step: 'verified'; readonly table: string; readonly rows: bigint }
  | { readonly step: 'holding' | 'sequences' }

export interface ResolvedTransferOptions {
  readonly schema: Schema
  readonly source: TransferSide
  readonly target: TransferSide
  readonly concurrency: number
  readonly holdWrites: boolean
  readonly lockTimeoutMs: number
  readonly restart: boolean
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly onProgress: (event: TransferEvent) => void
}

const shape = z.object({
  concurrency: z.int().min(1).max(64),
  lockTimeoutMs: z.int().min(1).max(2_147_483_647),
})

/** Every default of a transfer stands here. @throws TransferError INVALID_OPTIONS */
export function resolveTransferOptions(options: TransferOptions): ResolvedTransferOptions {
  const resolved: ResolvedTransferOptions = {
    schema: options.schema,
    source: options.source,
    target: options.target,
    concurrency: options.concurrency ?? 2,
    holdWrites: options.holdWrites ?? true,
    lockTimeoutMs: options.lockTimeoutMs ?? 10_000,
    restart: options.restart ?? false,
    signal: options.signal ?? new AbortController().signal,
    clock: options.clock ?? systemClock,
    onProgress: options.onProgress ?? (() => {}),
  }
  return checkedOptions(resolved, shape, invalidTransfer)
}

function invalidTransfer(problem: string): TransferError {
  return new TransferError({
    code: 'INVALID_OPTIONS',
    message: `The transfer cannot work with these options: ${problem}`,
    hint: 'concurrency counts shards, lockTimeoutMs whole milliseconds.',
  })
}
