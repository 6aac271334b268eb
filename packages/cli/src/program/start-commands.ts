import { Command as CommanderCommand } from 'commander'
import type { Act } from './act.ts'
import { leaf } from './leaf.ts'

export function addStart(program: CommanderCommand, act: Act): void {
  leaf(
    program,
    'init',
    'write a small sharded application',
    '  shardwright init\n  shardwright init my-app --shards 4 --yes',
  )
    .argument('[directory]', 'where; default: here')
    .option('--name <name>', 'its name; default: the folder')
    .option('--shards <count>', 'how many shards; default 2')
    .action(act(async () => (await import('../commands/init.ts')).init, ['directory']))
  leaf(
    program,
    'dev',
    'a local cluster in the shape of the configuration, until Ctrl-C',
    '  shardwright dev\n  shardwright status --local      (in another terminal)',
  )
    .option('--redis', 'start a Redis server too')
    .action(act(async () => (await import('../commands/dev.ts')).dev))
  leaf(
    program,
    'status',
    'shards, servers, replicas, sizes and migrations on one screen',
    '  shardwright status\n  shardwright status --json | jq .healthy',
  ).action(act(async () => (await import('../commands/status.ts')).status))
  leaf(
    program,
    'doctor',
    'examine every server and every table; a score and remedies',
    '  shardwright doctor\n  shardwright doctor --json | jq .score',
  ).action(act(async () => (await import('../commands/doctor/doctor.ts')).doctor))
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
        const { completionScript } = await import('../completion/completion-script.ts')
        return async (_, { shell }) => {
          const script = completionScript(program, shell)
          return { data: { shell, script }, render: () => script }
        }
      }, ['shell']),
    )
}
