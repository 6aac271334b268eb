import { ShardwrightError } from '@shardwright/core'
import { type RecordedStatement, RecordingSink } from '../connection/recording-sink.ts'
import { kyselyOver } from '../connection/sink-dialect.ts'
import { MigrationError } from '../errors/migration-error.ts'
import type { Migration } from '../migration/migration.ts'
import type { ResolvedMigratorOptions } from './migrator-options.ts'
import type { Stage } from './plan-run.ts'

/** The SQL that a run would send, shards with the same SQL together. */
export interface DryRunStep {
  readonly migration: string
  readonly direction: 'up' | 'down'
  readonly shards: readonly string[]
  readonly transaction: boolean
  readonly statements: readonly RecordedStatement[]
  /** True when the migration reads rows: what follows depends on answers that a dry run does not have. */
  readonly readsRows: boolean
  /** The migration threw while it was written down, because it needs the answers of its reads. */
  readonly incomplete: string | undefined
}

export type DryRecording = Pick<DryRunStep, 'statements' | 'readsRows' | 'incomplete'>

/** Writes down what `stage` would send to each of its shards; touches no server. */
export async function dryRunStage(stage: Stage, options: ResolvedMigratorOptions): Promise<readonly DryRunStep[]> {
  const groups = new Map<string, { recording: DryRecording; shards: string[] }>()
  for (const shard of stage.shards) {
    const recording = await recordMigration(stage.migration, stage.direction, shard, options)
    const key = JSON.stringify(recording, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
    const group = groups.get(key)
    if (group) group.shards.push(shard)
    else groups.set(key, { recording, shards: [shard] })
  }
  return [...groups.values()].map(({ recording, shards }) =>
    Object.freeze({
      migration: stage.migration.name,
      direction: stage.direction,
      shards: Object.freeze(shards),
      transaction: stage.migration.transaction,
      ...recording,
    }),
  )
}

export async function recordMigration(
  migration: Migration,
  direction: 'up' | 'down',
  shardId: string,
  options: Pick<ResolvedMigratorOptions, 'schema' | 'topology'>,
): Promise<DryRecording> {
  const sink = new RecordingSink()
  const context = { shardId, direction, schema: options.schema, topology: options.topology, dryRun: true }
  try {
    await (direction === 'up' ? migration.up(kyselyOver(sink), context) : migration.down?.(kyselyOver(sink), context))
  } catch (error) {
    if (error instanceof ShardwrightError) throw error
    if (!sink.recording.readsRows) throw unreadable(migration, direction, error)
    return { ...sink.recording, incomplete: error instanceof Error ? error.message : String(error) }
  }
  return { ...sink.recording, incomplete: undefined }
}

function unreadable(migration: Migration, direction: 'up' | 'down', cause: unknown): MigrationError {
  return new MigrationError({
    code: 'INVALID_MIGRATION',
    message: `${migration.name} (${direction}) fails before it sends a statement that needs an answer: ${
      cause instanceof Error ? cause.message : String(cause)
    }`,
    hint: 'Correct the file; nothing has been run. It was called with `context.dryRun`, to read its SQL.',
    details: { migration: migration.name, direction },
    cause,
  })
}
