import type { Command as CommanderCommand } from 'commander'
import type { MigrateOptions } from '../commands/migrate.ts'
import type { Act } from './act.ts'
import { leaf } from './leaf.ts'

export function addMigrate(program: CommanderCommand, act: Act): void {
  const migrate = program.command('migrate').description('run, take back and examine migrations on every shard')
  const run = (name: string, description: string, example: string) =>
    migrate
      .command(name)
      .description(description)
      .option('--dry-run', 'print the SQL, change nothing')
      .option('--shard <id...>', 'only these shards')
      .option('--concurrency <count>', 'shards at once; default 4')
      .option('--continue', 'after a failure, finish the same migration elsewhere')
      .option('--allow-ahead', 'let shards go on while a migration is incomplete')
      .option('--allow-unordered', 'run migrations that sort before applied ones')
      .option('--accept-changed', 'record the checksums of edited files')
      .option('--wait <seconds>', 'wait for another deployer; default 0')
      .addHelpText('after', `\nExamples:\n${example}`)
  run(
    'up',
    'bring every shard to the last migration',
    '  shardwright migrate up --dry-run\n  shardwright migrate up --canary 1 --then 25% --then all',
  )
    .option('--canary <wave>', 'each migration first on so many shards (1, 10%)')
    .option('--then <wave>', 'then on so many, and so on', (value: string, all: string[] = []) => [...all, value])
    .option('--no-lint', 'run although the linter refuses')
    .action(act<MigrateOptions>(async () => (await import('../commands/migrate.ts')).migrateUp))
  run('down', 'take the last migrations back', '  shardwright migrate down --steps 2 --yes')
    .option('--steps <count>', 'how many; default 1')
    .action(act<MigrateOptions>(async () => (await import('../commands/migrate.ts')).migrateDown))
  run(
    'to',
    'bring every shard to just after a migration',
    '  shardwright migrate to 0004_orders\n  shardwright migrate to 0 --yes        (before the first)',
  )
    .argument('<name>', 'a migration, or 0')
    .option('--no-lint', 'run although the linter refuses')
    .action(act<MigrateOptions>(async () => (await import('../commands/migrate.ts')).migrateTo, ['name']))
  run('redo', 'take the last migration back and apply it again', '  shardwright migrate redo --local --yes').action(
    act<MigrateOptions>(async () => (await import('../commands/migrate.ts')).migrateRedo),
  )
  leaf(migrate, 'status', 'which shard has which migration', '  shardwright migrate status --json').action(
    act(async () => (await import('../commands/migrate-status.ts')).migrateStatus),
  )
  leaf(migrate, 'lint', 'what the linter says of the pending migrations', '  shardwright migrate lint --all')
    .option('--all', 'of all migrations')
    .action(act<{ all?: boolean }>(async () => (await import('../commands/migrate-status.ts')).migrateLint))
  leaf(migrate, 'new', 'write an empty migration', '  shardwright migrate new add_note --sql')
    .argument('<name>', 'e.g. add_note')
    .option('--sql', 'a SQL file instead of TypeScript')
    .action(
      act<{ name: string; sql?: boolean }>(
        async () => (await import('../commands/migrate-new.ts')).migrateNew,
        ['name'],
      ),
    )
}
