import { type Command as CommanderCommand, Option } from 'commander'
import { transferModes } from '../citus/rebalance.ts'
import type { IsolateOptions } from '../commands/citus/isolate.ts'
import type { RebalanceCommandOptions } from '../commands/citus/rebalance.ts'
import type { TenantsOptions } from '../commands/citus/tenants.ts'
import type { Act } from './act.ts'
import { leaf } from './leaf.ts'

const mode = (auto = 'by logical replication where it can') =>
  new Option('--mode <mode>', `how a shard is moved; default auto: ${auto}`).choices(transferModes)

export function addCitus(program: CommanderCommand, act: Act): void {
  const citus = program.command('citus').description('operate a Citus cluster: its own functions, driven and watched')
  leaf(
    citus,
    'check',
    "compare Citus' metadata with the schema",
    '  shardwright citus check\n  shardwright citus check --sql',
  )
    .option('--sql', 'print only the SQL that mends; look at it before you run it')
    .action(act<{ sql?: boolean }>(async () => (await import('../commands/citus/check.ts')).citusCheck))
  addNodes(citus, act)
  addRebalance(citus, act)
  leaf(
    citus,
    'isolate',
    'give one key a shard of its own',
    '  shardwright citus isolate wallets 42\n  shardwright citus isolate wallets 42 --to worker-3:5432 --yes',
  )
    .argument('<table>', 'a sharded table; the others of its co-location group follow')
    .argument('<key>', 'a value of its shard key')
    .option('--to <host:port>', 'then move that shard to a node')
    .addOption(
      mode(
        'the split stops writes to the shard, the move does not; force_logical: all parts of the shard go to --to, online',
      ),
    )
    .action(
      act<IsolateOptions>(async () => (await import('../commands/citus/isolate.ts')).isolateTenant, ['table', 'key']),
    )
  leaf(
    citus,
    'move',
    'move one shard, and those co-located with it, to a node',
    '  shardwright citus move 102041 --to worker-3:5432',
  )
    .argument('<shard>', "the shard's number; `which` tells that of a key")
    .requiredOption('--to <host:port>', 'the node')
    .addOption(mode())
    .action(act(async () => (await import('../commands/citus/isolate.ts')).shardMove, ['shard']))
  leaf(
    citus,
    'tenants',
    'the busiest keys, by citus_stat_tenants',
    '  shardwright citus tenants --track on --yes\n  shardwright citus tenants --limit 5 --json',
  )
    .option('--limit <count>', 'how many; default 20')
    .addOption(new Option('--track <state>', 'turn the count on or off, on every node').choices(['on', 'off']))
    .action(act<TenantsOptions>(async () => (await import('../commands/citus/tenants.ts')).tenants))
}

function addNodes(citus: CommanderCommand, act: Act): void {
  const nodes = citus.command('nodes').description('list, add, drain and remove nodes')
  leaf(nodes, 'list', 'nodes with their state, shards and sizes', '  shardwright citus nodes list --json').action(
    act(async () => (await import('../commands/citus/nodes.ts')).nodesList),
  )
  leaf(
    nodes,
    'add',
    'make an empty server with the extension part of the cluster',
    '  shardwright citus nodes add worker-3:5432\n  shardwright citus rebalance start --watch',
  )
    .argument('<host:port>', 'as the other nodes reach it')
    .action(act(async () => (await import('../commands/citus/nodes.ts')).nodesAdd, ['node']))
  leaf(
    nodes,
    'drain',
    'move all shards away from a node',
    '  shardwright citus nodes drain worker-3:5432 --watch\n  shardwright citus nodes remove worker-3:5432',
  )
    .argument('<host:port>', 'the node')
    .option('--watch', 'follow it to its end')
    .addOption(mode())
    .action(act(async () => (await import('../commands/citus/rebalance.ts')).nodesDrain, ['node']))
  leaf(
    nodes,
    'remove',
    'take a drained node out of the cluster',
    '  shardwright citus nodes remove worker-3:5432 --yes',
  )
    .argument('<host:port>', 'the node')
    .action(act(async () => (await import('../commands/citus/nodes.ts')).nodesRemove, ['node']))
  leaf(
    nodes,
    'set',
    'say whether a node may be given shards',
    '  shardwright citus nodes set coordinator:5432 --shards on',
  )
    .argument('<host:port>', 'the node')
    .addOption(new Option('--shards <state>', 'on or off').choices(['on', 'off']).makeOptionMandatory())
    .action(
      act<{ node: string; shards: 'on' | 'off' }>(
        async () => (await import('../commands/citus/nodes.ts')).nodesSet,
        ['node'],
      ),
    )
}

function addRebalance(citus: CommanderCommand, act: Act): void {
  const rebalance = citus.command('rebalance').description('even out the shards over the nodes, in the background')
  const moving = (name: string, description: string, example: string) =>
    rebalance
      .command(name)
      .description(description)
      .option('--strategy <name>', 'by_disk_size, by_shard_count or one of your own; default: the cluster’s')
      .option('--drain-only', 'only away from nodes that shall have no shards')
      .addHelpText('after', `\nExamples:\n${example}`)
  moving('plan', 'which shards would move', '  shardwright citus rebalance plan --strategy by_shard_count').action(
    act<RebalanceCommandOptions>(async () => (await import('../commands/citus/rebalance.ts')).rebalancePlan),
  )
  moving('start', 'start it', '  shardwright citus rebalance start --watch --yes')
    .option('--watch', 'follow it to its end')
    .addOption(mode())
    .action(act<RebalanceCommandOptions>(async () => (await import('../commands/citus/rebalance.ts')).rebalanceStart))
  const about = (name: string, description: string) =>
    rebalance
      .command(name)
      .description(description)
      .addHelpText('after', `\nExamples:\n  shardwright citus rebalance ${name}`)
  about('status', 'how far the last one is').action(
    act(async () => (await import('../commands/citus/rebalance.ts')).rebalanceStatus),
  )
  about('watch', 'follow it to its end; Ctrl-C leaves it running').action(
    act(async () => (await import('../commands/citus/rebalance.ts')).rebalanceWatch),
  )
  about('stop', 'cancel what is left of it').action(
    act(async () => (await import('../commands/citus/rebalance.ts')).rebalanceStop),
  )
}
