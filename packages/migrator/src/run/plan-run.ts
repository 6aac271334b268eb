import { MigrationError } from '../errors/migration-error.ts'
import type { Migration } from '../migration/migration.ts'
import { compareNames } from '../migration/migration-name.ts'
import type { MigrationRow } from '../state/migration-state.ts'

/** Where every shard should stand: after `name`, before everything (`null`), or at the last migration. */
export type Target =
  | { readonly kind: 'latest' }
  | { readonly kind: 'at'; readonly name: string | null }
  | { readonly kind: 'back'; readonly steps: number }

export type ShardStates = ReadonlyMap<string, ReadonlyMap<string, MigrationRow>>

/** One migration in one direction, and the shards that need it, in topology order. */
export interface Stage {
  readonly migration: Migration
  readonly direction: 'up' | 'down'
  readonly shards: readonly string[]
}

/**
 * Decides what is left to do, from the files and the state of every shard. Pure: it reads no clock and no server.
 *
 * @throws MigrationError UNKNOWN_MIGRATION, MIGRATION_INTERRUPTED, MIGRATION_IRREVERSIBLE
 */
export function planRun(migrations: readonly Migration[], states: ShardStates, target: Target): readonly Stage[] {
  const wanted = wantedNames(migrations, states, target)
  const reverts = migrations.toReversed().flatMap((migration) => revertStage(migration, states, wanted))
  const applies = target.kind === 'back' ? [] : migrations.flatMap((migration) => applyStage(migration, states, wanted))
  return [...reverts, ...applies]
}

function wantedNames(migrations: readonly Migration[], states: ShardStates, target: Target): ReadonlySet<string> {
  const names = migrations.map((migration) => migration.name)
  if (target.kind === 'latest') return new Set(names)
  if (target.kind === 'at') {
    if (target.name === null) return new Set()
    if (!names.includes(target.name)) throw unknownMigration(target.name)
    return new Set(names.filter((name) => compareNames(name, target.name as string) <= 0))
  }
  const touched = names.filter((name) => [...states.values()].some((rows) => isTouched(rows.get(name))))
  return new Set(touched.slice(0, Math.max(0, touched.length - target.steps)))
}

function applyStage(migration: Migration, states: ShardStates, wanted: ReadonlySet<string>): Stage[] {
  if (!wanted.has(migration.name)) return []
  const shards: string[] = []
  for (const [shard, rows] of states) {
    const row = rows.get(migration.name)
    if (row?.state === 'applied') continue
    if (isReverting(row)) throw interrupted(migration.name, shard, 'down')
    shards.push(shard)
  }
  return shards.length === 0 ? [] : [{ migration, direction: 'up', shards }]
}

function revertStage(migration: Migration, states: ShardStates, wanted: ReadonlySet<string>): Stage[] {
  if (wanted.has(migration.name)) return []
  const shards: string[] = []
  for (const [shard, rows] of states) {
    const row = rows.get(migration.name)
    if (isHalfApplied(row)) throw interrupted(migration.name, shard, 'up')
    if (row?.state === 'applied' || isReverting(row)) shards.push(shard)
  }
  if (shards.length > 0 && !migration.down) throw irreversible(migration.name, shards)
  return shards.length === 0 ? [] : [{ migration, direction: 'down', shards }]
}

/** True when something of the migration may stand on the shard. */
export function isTouched(row: MigrationRow | undefined): boolean {
  return row?.state === 'applied' || isReverting(row) || isHalfApplied(row)
}

export function isReverting(row: MigrationRow | undefined): boolean {
  return row?.state === 'reverting' || row?.state === 'revert-failed'
}

export function isHalfApplied(row: MigrationRow | undefined): boolean {
  return row?.state === 'running' || (row?.state === 'failed' && !row.transactional && row.journal.length > 0)
}

function unknownMigration(name: string): MigrationError {
  return new MigrationError({
    code: 'UNKNOWN_MIGRATION',
    message: `There is no migration named ${JSON.stringify(name)}.`,
    hint: 'Names are file names without their extension; `migrate status` lists them.',
  })
}

function interrupted(migration: string, shard: string, direction: 'up' | 'down'): MigrationError {
  return new MigrationError({
    code: 'MIGRATION_INTERRUPTED',
    message: `${migration} was stopped half-way on ${shard}, going ${direction}, and runs outside a transaction.`,
    hint: `Finish it first: ${direction === 'up' ? '`migrate up`' : '`migrate down`'} goes on where it stopped.`,
    details: { migration, shard, direction },
  })
}

function irreversible(migration: string, shards: readonly string[]): MigrationError {
  return new MigrationError({
    code: 'MIGRATION_IRREVERSIBLE',
    message: `${migration} has no \`down\` and is applied on ${shards.join(', ')}.`,
    hint: 'Write a new migration that undoes it.',
    details: { migration, shards },
  })
}
