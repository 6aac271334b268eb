import { Command as CommanderCommand } from 'commander'
import type { Screen } from './output/screen.ts'
import type { Load } from './program/act.ts'
import { addCitus } from './program/citus-commands.ts'
import { addShards } from './program/fleet-commands.ts'
import { addMigrate } from './program/migrate-commands.ts'
import { addOperate } from './program/operate-commands.ts'
import { addQueries } from './program/query-commands.ts'
import { addStart } from './program/start-commands.ts'
import type { GlobalOptions } from './run/command.ts'
import { cliVersion } from './version.ts'

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
    .configureHelp({ helpWidth: Number.isFinite(screen.width) ? screen.width : 80, showGlobalOptions: true })
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
  addOperate(program, act)
  addQueries(program, act)
  addCitus(program, act)
  return { commander: program, exitCode: () => code }
}

const rootExamples = `
Examples:
  shardwright init my-app --yes         a new application
  shardwright dev                       a local cluster, migrated and seeded
  shardwright migrate up --canary 1 --then 25% --then all
  shardwright status --json

Exit codes: 0 done, 1 failed, 2 not understood, 3 found something to do,
4 not confirmed, 130 interrupted.`
