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
    if (error.exitCode === 0) return exitCode.ok
    if (asksForJson(args)) screen.line(JSON.stringify({ error: usageError(error) }, null, 2))
    return exitCode.usage
  }
}

/** What was not understood was not parsed either, so the words themselves are looked at. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).includes('--json')
}

function usageError({ message }: CommanderError) {
  // Commander's word for a group without its command.
  const missing = message === '(outputHelp)'
  return {
    code: 'USAGE',
    message: missing ? 'No command was given.' : message.replace(/^error: /, ''),
    hint: 'See --help of the command.',
    details: {},
  }
}

function throwInsteadOfExit(command: Program['commander']): void {
  command.exitOverride()
  for (const sub of command.commands) throwInsteadOfExit(sub as Program['commander'])
}
