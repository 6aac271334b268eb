import type { Command as CommanderCommand, Option } from 'commander'

/** What the shells need to know of one command. */
export interface CompletedCommand {
  /** The words of its name: `migrate up`; empty for `shardwright` itself. */
  readonly path: string
  /** Sub-commands and the choices of its argument. */
  readonly words: readonly CompletedWord[]
  readonly options: readonly CompletedOption[]
}

export interface CompletedWord {
  readonly word: string
  readonly description: string
}

export interface CompletedOption extends CompletedWord {
  readonly value: 'none' | 'file' | 'any' | readonly string[]
}

/** Every command of the program with its own options and those that every command takes. */
export function completionTable(program: CommanderCommand): readonly CompletedCommand[] {
  const everywhere = program.options.map(optionOf)
  const help: CompletedOption = { word: '--help', description: 'what it does, with an example', value: 'none' }
  const visit = (command: CommanderCommand, path: string): readonly CompletedCommand[] => {
    const own = command === program ? [] : command.options.map(optionOf)
    const words = [
      ...command.commands.map((sub) => ({ word: sub.name(), description: sub.description() })),
      ...command.registeredArguments.flatMap((argument) =>
        (argument.argChoices ?? []).map((word) => ({ word, description: argument.description })),
      ),
    ]
    const below = command.commands.flatMap((sub) =>
      visit(sub as CommanderCommand, path === '' ? sub.name() : `${path} ${sub.name()}`),
    )
    return [{ path, words, options: [...own, ...everywhere, help] }, ...below]
  }
  return visit(program, '')
}

/** Options that take the next word, by that word's kind. */
export function valuedOptions(table: readonly CompletedCommand[]): ReadonlyMap<string, CompletedOption> {
  const valued = table.flatMap(({ options }) => options).filter(({ value }) => value !== 'none')
  return new Map(valued.map((option) => [option.word, option]))
}

function optionOf(option: Option): CompletedOption {
  const value = !option.required ? 'none' : (option.argChoices ?? (/<file>/.test(option.flags) ? 'file' : 'any'))
  return { word: option.long ?? option.short ?? '', description: option.description, value }
}
