import { Command as CommanderCommand, Option } from 'commander'
import type { MigrateOptions } from './commands/migrate.ts'
import type { Screen } from './output/screen.ts'
import type { Command, GlobalOptions } from './run/command.ts'
import { cliVersion } from './version.ts'

/** Loads a command when it is run: `--help` reads none of them. */
type Load<Options> = () => Promise<Command<Options>>

export interface Program {
  readonly commander: CommanderCommand
  /** Known after parsing. */
  exitCode(): number
}

/** The whole command line. */
export function createProgram(screen: Screen): Program {
  let code = 0
  const program = new CommanderCommand('shardwright')
  program
    .description('Sharded PostgreSQL: migrations, shards, health.')
    .version(cliVersion)
    .configureHelp({ helpWidth: screen.width, showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => screen.line(text.trimEnd()),
      writeErr: (text) => screen.note(text.trimEnd()),
    })
    .showHelpAfterError('(--help shows what is accepted)')
    .option('--config <file>', 'the configuration, instead of ./shardwright.config.ts')
    .option('--env-file <file>', 'read environment variables from a file first')
    .option('--local', 'use the cluster that `shardwright dev` runs here')
    .option('--json', 'print data instead of a screen')
    .option('--yes', 'do what is destructive without asking')
    .addHelpText('after', rootExamples)
  const act = <Options extends object>(load: Load<Options>, args: readonly string[] = []) =>
    async function (this: CommanderCommand, ...values: unknown[]) {
      const { config, envFile, local, json, yes, ...options } = this.optsWithGlobals<
        GlobalOptions & Record<string, unknown>
      >()
      const global: GlobalOptions = {
        ...(config && { config }),
        ...(envFile && { envFile }),
        local: local === true,
        json: json === true,
        yes: yes === true,
      }
      const named = Object.fromEntries(
        args.map((name, index) => [name, values[index]]).filter(([, value]) => value !== undefined),
      )
      const { runCommand } = await import('./run/run-command.ts')
      code = await runCommand(await load(), { ...options, ...named } as Options, global, screen)
    }
  addStart(program, act)
  addMigrate(program, act)
  addShards(program, act)
  addQueries(program, act)
  return { commander: program, exitCode: () => code }
}

type Act = <Options extends object>(
  load: Load<Options>,
  args?: readonly string[],
) => (this: CommanderCommand, ...values: unknown[]) => Promise<void>

const rootExamples = `
Examples:
  shardwright init my-app --yes         a new application
  shardwright dev                       a local cluster, migrated and seeded
  shardwright migrate up --canary 1 --then 25% --then all
  shardwright status --json

Exit codes: 0 done, 1 failed, 2 not understood, 3 found something to do,
4 not confirmed, 130 interrupted.`

function addStart(program: CommanderCommand, act: Act): void {
  program
    .command('init')
    .description('write a small sharded application')
    .argument('[directory]', 'where; default: here')
    .option('--name <name>', 'its name; default: the folder')
    .option('--shards <count>', 'how many shards; default 2')
    .addHelpText('after', '\nExamples:\n  shardwright init\n  shardwright init my-app --shards 4 --yes')
    .action(act(async () => (await import('./commands/init.ts')).init, ['directory']))
  program
    .command('dev')
    .description('a local cluster in the shape of the configuration, until Ctrl-C')
    .option('--redis', 'start a Redis server too')
    .addHelpText('after', '\nExamples:\n  shardwright dev\n  shardwright status --local      (in another terminal)')
    .action(act(async () => (await import('./commands/dev.ts')).dev))
  program
    .command('status')
    .description('shards, servers, replicas, sizes and migrations on one screen')
    .addHelpText('after', '\nExamples:\n  shardwright status\n  shardwright status --json | jq .healthy')
    .action(act(async () => (await import('./commands/status.ts')).status))
  program
    .command('doctor')
    .description('examine every server and every table; a score and remedies')
    .addHelpText('after', '\nExamples:\n  shardwright doctor\n  shardwright doctor --json | jq .score')
    .action(act(async () => (await import('./commands/doctor/doctor.ts')).doctor))
  program
    .command('completion')
    .description('print a completion script')
    .addArgument(new CommanderCommand().createArgument('<shell>', 'bash, zsh or fish').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      '\nExamples:\n  source <(shardwright completion bash)\n  shardwright completion fish > ~/.config/fish/completions/shardwright.fish',
    )
    .action(
      act<{ shell: 'bash' | 'zsh' | 'fish' }>(async () => {
        const { completionScript } = await import('./commands/completion.ts')
        return async (_, { shell }) => {
          const script = completionScript(program, shell)
          return { data: { shell, script }, render: () => script }
        }
      }, ['shell']),
    )
}

function addMigrate(program: CommanderCommand, act: Act): void {
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
    .action(act<MigrateOptions>(async () => (await import('./commands/migrate.ts')).migrateUp))
  run('down', 'take the last migrations back', '  shardwright migrate down --steps 2 --yes')
    .option('--steps <count>', 'how many; default 1')
    .action(act<MigrateOptions>(async () => (await import('./commands/migrate.ts')).migrateDown))
  run(
    'to',
    'bring every shard to just after a migration',
    '  shardwright migrate to 0004_orders\n  shardwright migrate to 0 --yes        (before the first)',
  )
    .argument('<name>', 'a migration, or 0')
    .option('--no-lint', 'run although the linter refuses')
    .action(act<MigrateOptions>(async () => (await import('./commands/migrate.ts')).migrateTo, ['name']))
  run('redo', 'take the last migration back and apply it again', '  shardwright migrate redo --local --yes').action(
    act<MigrateOptions>(async () => (await import('./commands/migrate.ts')).migrateRedo),
  )
  migrate
    .command('status')
    .description('which shard has which migration')
    .addHelpText('after', '\nExamples:\n  shardwright migrate status --json')
    .action(act(async () => (await import('./commands/migrate-status.ts')).migrateStatus))
  migrate
    .command('lint')
    .description('what the linter says of the pending migrations')
    .option('--all', 'of all migrations')
    .addHelpText('after', '\nExamples:\n  shardwright migrate lint --all')
    .action(act<{ all?: boolean }>(async () => (await import('./commands/migrate-status.ts')).migrateLint))
  migrate
    .command('new')
    .description('write an empty migration')
    .argument('<name>', 'e.g. add_note')
    .option('--sql', 'a SQL file instead of TypeScript')
    .addHelpText('after', '\nExamples:\n  shardwright migrate new add_note --sql')
    .action(
      act<{ name: string; sql?: boolean }>(
        async () => (await import('./commands/migrate-new.ts')).migrateNew,
        ['name'],
      ),
    )
}

function addShards(program: CommanderCommand, act: Act): void {
  const shards = program.command('shards').description('list, add and check shards')
  shards
    .command('list')
    .description('shards with their servers and buckets')
    .action(act(async () => (await import('./commands/shards.ts')).shardsList))
  shards
    .command('add')
    .description("bring an empty database to the fleet's state")
    .argument('<id>', 'the new shard')
    .requiredOption('--url-env <variable>', 'the environment variable with its URL')
    .option('--baseline', 'copy the schema of a shard instead of running all migrations')
    .option('--source <shard>', 'the model; default: the first shard')
    .addHelpText(
      'after',
      '\nExamples:\n  SHARD_5_URL=postgres://... shardwright shards add shard-5 --url-env SHARD_5_URL',
    )
    .action(
      act<{ id: string; urlEnv: string; baseline?: boolean; source?: string }>(
        async () => (await import('./commands/shards.ts')).shardsAdd,
        ['id'],
      ),
    )
  shards
    .command('check')
    .description('compare every shard with the first one, reference data included')
    .action(act(async () => (await import('./commands/shards.ts')).shardsCheck))
  program
    .command('drift')
    .description('compare the schemas of the shards; offers the SQL that mends')
    .option('--snapshot <file>', 'compare with a committed snapshot')
    .option('--write <file>', 'write that snapshot from the first shard')
    .option('--sql', 'print only the SQL that mends')
    .addHelpText(
      'after',
      '\nExamples:\n  shardwright drift\n  shardwright drift --write schema.snapshot.json\n  shardwright drift --snapshot schema.snapshot.json --sql',
    )
    .action(
      act<{ snapshot?: string; write?: string; sql?: boolean }>(
        async () => (await import('./commands/drift.ts')).drift,
      ),
    )
  const partitions = program.command('partitions').description('time partitions by their policies')
  partitions
    .command('plan')
    .description('what the policies want, as SQL')
    .action(act(async () => (await import('./commands/partitions.ts')).partitionsPlan))
  partitions
    .command('apply')
    .description('bring every table to its policy')
    .option('--force', 'remove more partitions than one run may')
    .action(act<{ force?: boolean }>(async () => (await import('./commands/partitions.ts')).partitionsApply))
  const topology = program.command('topology').description('show, check and compare the topology')
  topology
    .command('show')
    .description('shards and buckets, without passwords')
    .action(act(async () => (await import('./commands/topology.ts')).topologyShow))
  topology
    .command('validate')
    .description('load and check the configuration')
    .action(act(async () => (await import('./commands/topology.ts')).topologyValidate))
  topology
    .command('diff')
    .description("what changes from here to another configuration's topology")
    .argument('<other>', 'a configuration file')
    .action(act<{ other: string }>(async () => (await import('./commands/topology.ts')).topologyDiff, ['other']))
}

function addQueries(program: CommanderCommand, act: Act): void {
  program
    .command('explain')
    .description('what the router would do with a query')
    .argument('<query>', 'a Kysely expression over db, a file, or SQL')
    .option('--sql', 'the argument is SQL')
    .option('--no-fan-out', 'refuse what needs every shard, as router.db does')
    .addHelpText(
      'after',
      `\nExamples:\n  shardwright explain "db.selectFrom('tasks').selectAll()"\n  shardwright explain report.query.ts   (export default (db) => db.selectFrom...)`,
    )
    .action(
      act<{ query: string; sql?: boolean; fanOut?: boolean }>(
        async () => (await import('./commands/explain.ts')).explain,
        ['query'],
      ),
    )
  program
    .command('which')
    .description('bucket and shard of a key')
    .argument('<table>', 'a sharded table')
    .argument('<key>', 'a value of its shard key')
    .option('--type <type>', "the key's type, to ask no server")
    .option('--show-password', 'a URL that psql can use as it is')
    .addHelpText(
      'after',
      '\nExamples:\n  shardwright which wallets 42\n  shardwright which wallets 42 --type int8 --json',
    )
    .action(
      act<{ table: string; key: string; type?: string; showPassword?: boolean }>(
        async () => (await import('./commands/which.ts')).which,
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
        async () => (await import('./commands/sql.ts')).sql,
        ['statement'],
      ),
    )
  program
    .command('codegen')
    .description('the Database interface from a live shard')
    .option('--out <file>', 'write it there')
    .addHelpText('after', '\nExamples:\n  shardwright codegen --out src/database-types.ts')
    .action(act<{ out?: string }>(async () => (await import('./commands/codegen/codegen.ts')).codegen))
}
