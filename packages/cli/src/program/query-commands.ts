import { type Command as CommanderCommand, Option } from 'commander'
import type { Act } from './act.ts'
import { leaf } from './leaf.ts'

export function addQueries(program: CommanderCommand, act: Act): void {
  program
    .command('explain')
    .description('what the router would do with a query')
    .argument('<query>', 'a Kysely expression over db, a file, or SQL')
    .option('--sql', 'the argument is SQL')
    .option('--no-fan-out', 'refuse what needs every shard, as router.db does')
    .option('--for <family=key>', 'as a query of router.for')
    .addHelpText(
      'after',
      `\nExamples:\n  shardwright explain "db.selectFrom('tasks').selectAll()"\n  shardwright explain report.query.ts  (export default (db) => db.selectFrom...)`,
    )
    .action(
      act<{ query: string; sql?: boolean; fanOut?: boolean; for?: string }>(
        async () => (await import('../commands/explain.ts')).explain,
        ['query'],
      ),
    )
  leaf(
    program,
    'which',
    'bucket and shard of a key',
    '  shardwright which wallets 42\n  shardwright which wallets 42 --type int8 --json',
  )
    .argument('<table>', 'a sharded table')
    .argument('<key>', 'a value of its shard key')
    .option('--type <type>', "the key's type, to ask no server")
    .option('--show-password', 'a URL that psql can use as it is')
    .action(
      act<{ table: string; key: string; type?: string; showPassword?: boolean }>(
        async () => (await import('../commands/which.ts')).which,
        ['table', 'key'],
      ),
    )
  program
    .command('sql')
    .description('run a statement on one shard or on each; read-only unless --write')
    .argument('<statement>', 'one statement')
    .option('--shard <id...>', 'only these shards')
    .option('--write', 'with the right to write')
    .addOption(new Option('--format <format>', 'table, csv or json').choices(['table', 'csv', 'json']))
    .addHelpText(
      'after',
      "\nExamples:\n  shardwright sql 'select count(*) from wallets'\n  shardwright sql 'select * from festivals' --shard shard-1 --format csv",
    )
    .action(
      act<{ statement: string; shard?: string[]; write?: boolean; format?: 'table' | 'csv' | 'json' }>(
        async () => (await import('../commands/sql.ts')).sql,
        ['statement'],
      ),
    )
  leaf(
    program,
    'codegen',
    'the Database interface from a live shard',
    '  shardwright codegen --out src/database-types.ts',
  )
    .option('--out <file>', 'write it there')
    .action(act<{ out?: string }>(async () => (await import('../commands/codegen/codegen.ts')).codegen))
}
