import type { Command as CommanderCommand } from 'commander'

/** A command that does something; its help ends with examples. Arguments, options and the action are the caller's to add. */
export function leaf(group: CommanderCommand, name: string, description: string, examples: string): CommanderCommand {
  return group.command(name).description(description).addHelpText('after', `\nExamples:\n${examples}`)
}
