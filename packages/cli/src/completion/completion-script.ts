import type { Command as CommanderCommand } from 'commander'
import { bashScript } from './bash-script.ts'
import { completionTable } from './completion-table.ts'
import { fishScript } from './fish-script.ts'
import { zshScript } from './zsh-script.ts'

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript }
export type Shell = keyof typeof scripts

/** The completion script of a shell, made from the commands themselves. */
export function completionScript(program: CommanderCommand, shell: Shell): string {
  return scripts[shell](completionTable(program))
}
