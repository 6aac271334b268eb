import type { Command as CommanderCommand } from 'commander'
import type { LookupsOptions } from '../commands/lookups.ts'
import type { ConvertCommandOptions } from '../commands/partitions-convert.ts'
import type { TransferCommandOptions } from '../commands/transfer.ts'
import type { Act } from './act.ts'
import { leaf } from './leaf.ts'

export function addShards(program: CommanderCommand, act: Act): void {
  const shards = program.command('shards').description('list, add and check shards')
  leaf(shards, 'list', 'shards with their servers and buckets', '  shardwright shards list --json').action(
    act(async () => (await import('../commands/shards.ts')).shardsList),
  )
  leaf(
    shards,
    'add',
    "bring an empty database to the fleet's state",
    '  shardwright shards add shard-5 --url-env SHARD_5_URL',
  )
    .argument('<id>', 'the new shard')
    .requiredOption('--url-env <variable>', 'the environment variable with its URL')
    .option('--baseline', 'copy the schema of a shard instead of running all migrations')
    .option('--source <shard>', 'the model; default: the first shard')
    .action(
      act<{ id: string; urlEnv: string; baseline?: boolean; source?: string }>(
        async () => (await import('../commands/shards.ts')).shardsAdd,
        ['id'],
      ),
    )
  leaf(
    shards,
    'check',
    'compare every shard with the first one, reference data included',
    '  shardwright shards check',
  ).action(act(async () => (await import('../commands/shards.ts')).shardsCheck))
  leaf(
    shards,
    'ownership',
    'make the ownership checks on the servers follow the topology',
    '  shardwright shards ownership --yes',
  ).action(act(async () => (await import('../commands/shards.ts')).shardsOwnership))
  leaf(
    program,
    'drift',
    'compare the schemas of the shards; offers the SQL that mends',
    '  shardwright drift\n  shardwright drift --write schema.snapshot.json\n  shardwright drift --snapshot schema.snapshot.json --sql',
  )
    .option('--snapshot <file>', 'compare with a committed snapshot')
    .option('--write <file>', 'write that snapshot from the first shard')
    .option('--sql', 'print only the SQL that mends')
    .action(
      act<{ snapshot?: string; write?: string; sql?: boolean }>(
        async () => (await import('../commands/drift.ts')).drift,
      ),
    )
  const partitions = program.command('partitions').description('time partitions by their policies')
  leaf(partitions, 'plan', 'what the policies want, as SQL', '  shardwright partitions plan').action(
    act(async () => (await import('../commands/partitions.ts')).partitionsPlan),
  )
  leaf(
    partitions,
    'apply',
    'bring every table to its policy',
    '  shardwright partitions apply\n  shardwright partitions apply --force --yes',
  )
    .option('--force', 'remove more partitions than one run may')
    .action(act<{ force?: boolean }>(async () => (await import('../commands/partitions.ts')).partitionsApply))
  leaf(
    partitions,
    'convert',
    'turn a plain table into a partitioned one while it is used',
    '  shardwright partitions convert transactions --dry-run',
  )
    .argument('<table>', 'a table with a policy')
    .option('--shard <id...>', 'only these shards')
    .option('--dry-run', 'print the plan, change nothing')
    .option('--drop-old', 'drop the old table in the end')
    .action(
      act<ConvertCommandOptions>(
        async () => (await import('../commands/partitions-convert.ts')).partitionsConvert,
        ['table'],
      ),
    )
  const lookups = program.command('lookups').description('entries that lead from a value to its shard key')
  leaf(
    lookups,
    'backfill',
    'fill lookups from the rows that are there; goes on where it was stopped',
    '  shardwright lookups backfill users_by_email',
  )
    .argument('[names...]', 'lookups; default: all')
    .action(act<LookupsOptions>(async () => (await import('../commands/lookups.ts')).lookupsBackfill, ['names']))
  leaf(lookups, 'verify', 'compare entries and rows; changes nothing', '  shardwright lookups verify')
    .argument('[names...]', 'lookups; default: all')
    .action(act<LookupsOptions>(async () => (await import('../commands/lookups.ts')).lookupsVerify, ['names']))
  leaf(lookups, 'repair', 'bring entries to what the rows are', '  shardwright lookups repair users_by_email')
    .argument('[names...]', 'lookups; default: all')
    .action(act<LookupsOptions>(async () => (await import('../commands/lookups.ts')).lookupsRepair, ['names']))
  program
    .command('transactions')
    .description('transactions over several shards')
    .command('recover')
    .description('end prepared transactions that a crash left, each as its decider says')
    .option('--grace <seconds>', 'leave younger ones alone; default 10')
    .addHelpText('after', '\nExamples:\n  shardwright transactions recover')
    .action(act<{ grace?: string }>(async () => (await import('../commands/transactions.ts')).transactionsRecover))
  leaf(
    program,
    'transfer',
    "bring all data to another configuration's topology, and compare",
    '  shardwright migrate up --config citus.config.ts\n  shardwright transfer citus.config.ts',
  )
    .argument('<other>', 'a configuration file: hash shards or Citus, migrated and empty')
    .option('--concurrency <count>', 'shards of the source at once; default 2')
    .option('--no-hold', 'do not keep writers waiting: you see to it that there are none')
    .option('--restart', 'empty the target first')
    .action(act<TransferCommandOptions>(async () => (await import('../commands/transfer.ts')).transfer, ['to']))
  const topology = program.command('topology').description('show, check and compare the topology')
  leaf(topology, 'show', 'shards and buckets, without passwords', '  shardwright topology show').action(
    act(async () => (await import('../commands/topology.ts')).topologyShow),
  )
  leaf(
    topology,
    'validate',
    'load and check the configuration',
    '  shardwright topology validate --env-file .env',
  ).action(act(async () => (await import('../commands/topology.ts')).topologyValidate))
  leaf(
    topology,
    'diff',
    "what changes from here to another configuration's topology",
    '  shardwright topology diff next.config.ts',
  )
    .argument('<other>', 'a configuration file')
    .action(act<{ other: string }>(async () => (await import('../commands/topology.ts')).topologyDiff, ['other']))
}
