import { Command as CommanderCommand } from 'commander'
import type { Act } from './act.ts'

export function addStart(program: CommanderCommand, act: Act): void {
  program
    .command('init')
    .description('write a small sharded application')
    .argument('[directory]', 'where; default: here')
    .option('--name <name>', 'its name; default: the folder')
    .option('--shards <count>', 'how many shards; default 2')
    .addHelpText('after', '\nExamples:\n  shardwright init\n  shardwright init my-app --shards 4 --yes')
    .action(act(async () => (await import('../commands/init.ts')).init, ['directory']))
  program
    .command('dev')
    .description('a local cluster in the shape of the configuration, until Ctrl-C')
    .option('--redis', 'start a Redis server too')
    .addHelpText('after', '\nExamples:\n  shardwright dev\n  shardwright status --local      (in another terminal)')
    .action(act(async () => (await import('../commands/dev.ts')).dev))
  program
    .command('status')
    .description('shards, servers, replicas, sizes and migrations on one screen')
    .addHelpText('after', '\nExamples:\n  shardwright status\n  shardwright status --json | jq .healthy')
    .action(act(async () => (await import('../commands/status.ts')).status))
  program
    .command('doctor')
    .description('examine every server and every table; a score and remedies')
    .addHelpText('after', '\nExamples:\n  shardwright doctor\n  shardwright doctor --json | jq .score')
    .action(act(async () => (await import('../commands/doctor/doctor.ts')).doctor))
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
