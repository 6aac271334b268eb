import { CommanderError } from 'commander'
import { exitCode } from './output/exit-code.ts'
import type { Screen } from './output/screen.ts'
import { createProgram, type Program } from './program.ts'

/** Runs one command line, without the name of the program; returns the exit code and never ends the process. */
export async function runProgram(args: readonly string[], screen: Screen): Promise<number> {
  const program = createProgram(screen)
  throwInsteadOfExit(program.commander)
  try {
    await program.commander.parseAsync([...args], { from: 'user' })
    return program.exitCode()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? exitCode.ok : exitCode.usage
  }
}

function throwInsteadOfExit(command: Program['commander']): void {
  command.exitOverride()
  for (const sub of command.commands) throwInsteadOfExit(sub as Program['commander'])
}
