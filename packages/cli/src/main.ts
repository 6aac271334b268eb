#!/usr/bin/env node
import { CommanderError } from 'commander'
import { exitCode } from './output/exit-code.ts'
import { processScreen } from './output/screen.ts'
import { createProgram } from './program.ts'

const program = createProgram(processScreen())
exitOverride(program.commander)
try {
  await program.commander.parseAsync()
  process.exitCode = program.exitCode()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? exitCode.ok : exitCode.usage
}

function exitOverride(command: typeof program.commander): void {
  command.exitOverride()
  for (const sub of command.commands) exitOverride(sub as typeof program.commander)
}
