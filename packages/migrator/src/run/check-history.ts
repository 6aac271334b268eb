import { MigrationError } from '../errors/migration-error.ts'
import type { Migration } from '../migration/migration.ts'
import { compareNames } from '../migration/migration-name.ts'
import { isTouched, type ShardStates } from './plan-run.ts'

/**
 * Compares the files with what the shards say has run.
 *
 * @throws MigrationError MIGRATION_MISSING, MIGRATION_CHANGED, MIGRATION_OUT_OF_ORDER
 */
export function checkHistory(
  migrations: readonly Migration[],
  states: ShardStates,
  options: { readonly allowUnordered: boolean; readonly acceptChanged: boolean },
): void {
  const byName = new Map(migrations.map((migration) => [migration.name, migration]))
  for (const [shard, rows] of states) {
    for (const row of rows.values()) {
      if (!isTouched(row)) continue
      const migration = byName.get(row.name)
      if (!migration) throw missing(row.name, shard)
      if (migration.checksum !== row.checksum && row.state === 'applied' && !options.acceptChanged) {
        throw changed(row.name, shard)
      }
    }
  }
  if (!options.allowUnordered) checkOrder(migrations, states)
}

function checkOrder(migrations: readonly Migration[], states: ShardStates): void {
  // A name counts as run once any shard has it: on the others it is simply left to do.
  const touched = new Set<string>()
  for (const rows of states.values()) for (const row of rows.values()) if (isTouched(row)) touched.add(row.name)
  const last = [...touched].sort(compareNames).at(-1)
  const late = migrations.find(({ name }) => !touched.has(name) && last !== undefined && compareNames(name, last) < 0)
  if (!late) {
    checkNumbers(migrations.filter(({ name }) => !touched.has(name)))
    return
  }
  throw new MigrationError({
    code: 'MIGRATION_OUT_OF_ORDER',
    message: `${late.name} has not run anywhere, but ${last}, which sorts after it, has.`,
    hint: 'Rename it so that it sorts last, or pass `allowUnordered` when the two do not touch each other.',
    details: { migration: late.name, after: last },
  })
}

/** By name 10_b comes before 9_a, which nobody means. */
function checkNumbers(waiting: readonly Migration[]): void {
  let before: { readonly name: string; readonly number: bigint } | undefined
  for (const { name } of waiting) {
    const digits = /^\d+/.exec(name)?.[0]
    if (digits === undefined) continue
    const number = BigInt(digits)
    if (before && before.number > number) {
      throw new MigrationError({
        code: 'MIGRATION_OUT_OF_ORDER',
        message: `${before.name} sorts before ${name}, although its number is the higher one.`,
        hint: 'Names are compared character by character: give all numbers the same width (0009_, 0010_).',
        details: { migration: name, after: before.name },
      })
    }
    before = { name, number }
  }
}

function missing(migration: string, shard: string): MigrationError {
  return new MigrationError({
    code: 'MIGRATION_MISSING',
    message: `${shard} has applied ${migration}, whose file is not here.`,
    hint: 'Bring the file back from version control, or deploy from a newer checkout.',
    details: { migration, shard },
  })
}

function changed(migration: string, shard: string): MigrationError {
  return new MigrationError({
    code: 'MIGRATION_CHANGED',
    message: `${migration} was edited after ${shard} had applied it.`,
    hint: 'Undo the edit and write a new migration, or pass `acceptChanged` when only a comment changed.',
    details: { migration, shard },
  })
}
