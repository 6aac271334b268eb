import type { Command as CommanderCommand } from 'commander'
import type { Command } from '../run/command.ts'

/** Loads a command when it is run: `--help` reads none of them. */
export type Load<Options> = () => Promise<Command<Options>>

/** Makes a commander action of a command; `args` names the positional arguments. */
export type Act = <Options extends object>(
  load: Load<Options>,
  args?: readonly string[],
) => (this: CommanderCommand, ...values: unknown[]) => Promise<void>
