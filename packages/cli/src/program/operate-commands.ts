import { type Command as CommanderCommand, Option } from 'commander'
import type { LoadCommandOptions } from '../commands/load/load.ts'
import type { MonitorCommandOptions } from '../commands/monitor/monitor.ts'
import type { ReplayCommandOptions } from '../commands/scaling-replay.ts'
import type { Act } from './act.ts'
import { leaf } from './leaf.ts'

const profiles = ['smoke', 'load', 'stress', 'soak', 'spike']

export function addOperate(program: CommanderCommand, act: Act): void {
  const monitor = program
    .command('monitor')
    .description('measure every server: live in a terminal, else once')
    .option('--once', 'once, also in a terminal')
    .option('--every <seconds>', 'between two looks; default 2')
    .option('--record <file>', 'append each look as a line of JSON, for `scaling replay`')
    .option('--buckets', 'rows and bytes of each bucket too, from a sample of every table')
    .addHelpText(
      'after',
      '\nExamples:\n  shardwright monitor\n  shardwright monitor --json | jq .alarms\n  shardwright monitor --every 15 --record metrics.jsonl',
    )
    .action(act<MonitorCommandOptions>(async () => (await import('../commands/monitor/monitor.ts')).monitor))
  leaf(
    monitor,
    'rules',
    'Prometheus alert rules and a Grafana dashboard, from the same definitions',
    '  shardwright monitor rules > shardwright.rules.yml\n  shardwright monitor rules --out ops',
  )
    .option('--out <folder>', 'write shardwright.rules.yml and shardwright.dashboard.json there')
    .action(act<{ out?: string }>(async () => (await import('../commands/monitor/monitor-rules.ts')).monitorRules))
  program
    .command('scaling')
    .description('scaling rules')
    .command('replay')
    .description('what scaling rules would have done over recorded metrics')
    .argument('<file>', 'recorded points, as JSON or as lines of it')
    .requiredOption('--rules <file>', 'the rules, as JSON')
    .requiredOption('--size <target=number...>', 'what the recording began with, e.g. replicas=1')
    .option('--plot <file>', 'an SVG picture')
    .option('--metric <name>', "the plot's; default: that of the first rule")
    .option('--target <name>', "the plot's; default: that of the first rule")
    .addHelpText(
      'after',
      '\nExamples:\n  shardwright scaling replay metrics.jsonl --rules scaling.json \\\n    --size replicas=1 --plot replay.svg',
    )
    .action(
      act<ReplayCommandOptions>(async () => (await import('../commands/scaling-replay.ts')).scalingReplay, ['file']),
    )
  program
    .command('load')
    .description('run a workload through the router against your own servers')
    .argument('<file>', 'a file whose default export is made by defineLoad')
    .addOption(new Option('--profile <profile>', 'the form of the run; default smoke').choices(profiles))
    .option('--rate <calls>', 'calls a second that are expected; default 50')
    .option('--duration <seconds>', "of the whole run; default: the profile's")
    .option('--in-flight <count>', 'calls under way at once; default 500')
    .option('--seed <number>', 'default 1')
    .option('--even', 'calls at even distances instead of at random')
    .option('--plot <file>', 'an SVG picture')
    .addHelpText(
      'after',
      '\nServers that are not on this machine have to be confirmed.\n\nExamples:\n  shardwright load checkout.load.ts --local\n  shardwright load checkout.load.ts --profile stress --rate 400 --plot s.svg',
    )
    .action(act<LoadCommandOptions>(async () => (await import('../commands/load/load.ts')).load, ['file']))
  addViews(program, act)
}

function addViews(program: CommanderCommand, act: Act): void {
  const views = program.command('views').description('materialized views and rollups on every shard')
  leaf(
    views,
    'list',
    'the views of the configuration, in the order of their refresh',
    '  shardwright views list',
  ).action(act(async () => (await import('../commands/views/views-list.ts')).viewsList))
  leaf(
    views,
    'create',
    'create what is missing, replace what is defined differently, mend unique indexes',
    '  shardwright views create',
  ).action(act(async () => (await import('../commands/views/views-create.ts')).viewsCreate))
  leaf(
    views,
    'refresh',
    'refresh on every shard, parents first',
    '  shardwright views refresh\n  shardwright views refresh monthly_spending',
  )
    .argument('[names...]', 'default: all')
    .action(
      act<{ names?: readonly string[] }>(
        async () => (await import('../commands/views/views-refresh.ts')).viewsRefresh,
        ['names'],
      ),
    )
  leaf(views, 'status', 'how old each view is on each shard', '  shardwright views status --json').action(
    act(async () => (await import('../commands/views/views-status.ts')).viewsStatus),
  )
}
