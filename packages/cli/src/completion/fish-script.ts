import { type CompletedCommand, type CompletedOption, type CompletedWord, valuedOptions } from './completion-table.ts'
import { fishWord } from './quote.ts'

export function fishScript(table: readonly CompletedCommand[]): string {
  const paths = table.flatMap(({ path }) => (path === '' ? [] : [fishWord(path)]))
  return `function __shardwright_at
  set -l tokens (commandline -opc)
  set -e tokens[1]
  set -l at ''
  set -l valued 0
  for word in $tokens
    if test $valued = 1
      set valued 0
      continue
    end
    switch $word
      case ${[...valuedOptions(table).keys()].join(' ')}
        set valued 1
      case '-*'
      case '*'
        set -l next (string trim -- "$at $word")
        if contains -- "$next" ${paths.join(' ')}
          set at $next
        end
    end
  end
  test "$at" = "$argv[1]"
end
complete -c shardwright -f
${table.flatMap(linesOf).join('\n')}`
}

function linesOf({ path, words, options }: CompletedCommand): readonly string[] {
  const where = `complete -c shardwright -n ${fishWord(`__shardwright_at ${fishWord(path)}`)}`
  const about = ({ description }: CompletedWord) => `-d ${fishWord(description)}`
  return [
    ...words.map((word) => `${where} -a ${fishWord(word.word)} ${about(word)}`),
    ...options.map((option) => `${where} -l ${option.word.replace(/^--/, '')}${argumentOf(option)} ${about(option)}`),
  ]
}

function argumentOf({ value }: CompletedOption): string {
  if (value === 'none') return ''
  if (value === 'file') return ' -r -F'
  return value === 'any' ? ' -x' : ` -x -a ${fishWord(value.join(' '))}`
}
