import type { Command as CommanderCommand } from 'commander'
import type { LookupsOptions } from '../commands/lookups.ts'
import type { ConvertCommandOptions } from '../commands/partitions-convert.ts'
import type { TransferCommandOptions } from '../commands/transfer.ts'
import type { Act } from './act.ts'

export function addShards(program: CommanderCommand, act: Act): void {
  const shards = program.command('shards').description('list, add and check shards')
  shards
    .command('list')
    .description('shards with their servers and buckets')
    .addHelpText('after', '\nExamples:\n  shardwright shards list --json')
    .action(act(async () => (await import('../commands/shards.ts')).shardsList))
  shards
    .command('add')
    .description("bring an empty database to the fleet's state")
    .argument('<id>', 'the new shard')
    .requiredOption('--url-env <variable>', 'the environment variable with its URL')
    .option('--baseline', 'copy the schema of a shard instead of running all migrations')
    .option('--source <shard>', 'the model; default: the first shard')
    .addHelpText('after', '\nExamples:\n  shardwright shards add shard-5 --url-env SHARD_5_URL')
    .action(
      act<{ id: string; urlEnv: string; baseline?: boolean; source?: string }>(
        async () => (await import('../commands/shards.ts')).shardsAdd,
        ['id'],
      ),
    )
  shards
    .command('check')
    .description('compare every shard with the first one, reference data included')
    .addHelpText('after', '\nExamples:\n  shardwright shards check')
    .action(act(async () => (await import('../commands/shards.ts')).shardsCheck))
  shards
    .command('ownership')
    .description('make the ownership checks on the servers follow the topology')
    .addHelpText('after', '\nExamples:\n  shardwright shards ownership --yes')
    .action(act(async () => (await import('../commands/shards.ts')).shardsOwnership))
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
        async () => (await import('../commands/drift.ts')).drift,
      ),
    )
  const partitions = program.command('partitions').description('time partitions by their policies')
  partitions
    .command('plan')
    .description('what the policies want, as SQL')
    .addHelpText('after', '\nExamples:\n  shardwright partitions plan')
    .action(act(async () => (await import('../commands/partitions.ts')).partitionsPlan))
  partitions
    .command('apply')
    .description('bring every table to its policy')
    .option('--force', 'remove more partitions than one run may')
    .addHelpText('after', '\nExamples:\n  shardwright partitions apply\n  shardwright partitions apply --force --yes')
    .action(act<{ force?: boolean }>(async () => (await import('../commands/partitions.ts')).partitionsApply))
  partitions
    .command('convert')
    .description('turn a plain table into a partitioned one while it is used')
    .argument('<table>', 'a table with a policy')
    .option('--shard <id...>', 'only these shards')
    .option('--dry-run', 'print the plan, change nothing')
    .option('--drop-old', 'drop the old table in the end')
    .addHelpText('after', '\nExamples:\n  shardwright partitions convert transactions --dry-run')
    .action(
      act<ConvertCommandOptions>(
        async () => (await import('../commands/partitions-convert.ts')).partitionsConvert,
        ['table'],
      ),
    )
  const lookups = program.command('lookups').description('entries that lead from a value to its shard key')
  lookups
    .command('backfill')
    .description('fill lookups from the rows that are there; goes on where it was stopped')
    .argument('[names...]', 'lookups; default: all')
    .addHelpText('after', '\nExamples:\n  shardwright lookups backfill users_by_email')
    .action(act<LookupsOptions>(async () => (await import('../commands/lookups.ts')).lookupsBackfill, ['names']))
  lookups
    .command('verify')
    .description('compare entries and rows; changes nothing')
    .argument('[names...]', 'lookups; default: all')
    .addHelpText('after', '\nExamples:\n  shardwright lookups verify')
    .action(act<LookupsOptions>(async () => (await import('../commands/lookups.ts')).lookupsVerify, ['names']))
  lookups
    .command('repair')
    .description('bring entries to what the rows are')
    .argument('[names...]', 'lookups; default: all')
    .addHelpText('after', '\nExamples:\n  shardwright lookups repair users_by_email')
    .action(act<LookupsOptions>(async () => (await import('../commands/lookups.ts')).lookupsRepair, ['names']))
  program
    .command('transactions')
    .description('transactions over several shards')
    .command('recover')
    .description('end prepared transactions that a crash left, each as its decider says')
    .option('--grace <seconds>', 'leave younger ones alone; default 10')
    .addHelpText('after', '\nExamples:\n  shardwright transactions recover')
    .action(act<{ grace?: string }>(async () => (await import('../commands/transactions.ts')).transactionsRecover))
  program
    .command('transfer')
    .description("bring all data to another configuration's topology, and compare")
    .argument('<other>', 'a configuration file: hash shards or Citus, migrated and empty')
    .option('--concurrency <count>', 'shards of the source at once; default 2')
    .option('--no-hold', 'do not keep writers waiting: you see to it that there are none')
    .option('--restart', 'empty the target first')
    .addHelpText(
      'after',
      '\nExamples:\n  shardwright migrate up --config citus.config.ts\n  shardwright transfer citus.config.ts',
    )
    .action(act<TransferCommandOptions>(async () => (await import('../commands/transfer.ts')).transfer, ['to']))
  const topology = program.command('topology').description('show, check and compare the topology')
  topology
    .command('show')
    .description('shards and buckets, without passwords')
    .addHelpText('after', '\nExamples:\n  shardwright topology show')
    .action(act(async () => (await import('../commands/topology.ts')).topologyShow))
  topology
    .command('validate')
    .description('load and check the configuration')
    .addHelpText('after', '\nExamples:\n  shardwright topology validate --env-file .env')
    .action(act(async () => (await import('../commands/topology.ts')).topologyValidate))
  topology
    .command('diff')
    .description("what changes from here to another configuration's topology")
    .argument('<other>', 'a configuration file')
    .addHelpText('after', '\nExamples:\n  shardwright topology diff next.config.ts')
    .action(act<{ other: string }>(async () => (await import('../commands/topology.ts')).topologyDiff, ['other']))
}
