import { type CompletedCommand, type CompletedOption, type CompletedWord, valuedOptions } from './completion-table.ts'
import { shellWord } from './quote.ts'

/** Works sourced and as a file `_shardwright` in fpath. */
export function zshScript(table: readonly CompletedCommand[]): string {
  const valued = valuedOptions(table)
  const paths = table.flatMap(({ path }) => (path === '' ? [] : [shellWord(path)]))
  return `#compdef shardwright
_shardwright() {
  local at='' valued='' word i
  local -a items flags
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    if [[ -n "$valued" ]]; then valued=''; continue; fi
    case "$word" in
      (${[...valued.keys()].join('|')}) valued="$word" ;;
      (-*) ;;
      (*) case "\${at:+$at }$word" in (${paths.join('|')}) at="\${at:+$at }$word" ;; esac ;;
    esac
  done
  case "$valued" in
${[...valued.values()].flatMap(valueCase).join('\n')}
    (-*) return 1 ;;
  esac
  case "$at" in
${table.map(commandCase).join('\n')}
  esac
  if [[ "$PREFIX" == -* ]]; then _describe -o option flags; else _describe command items; fi
}
if [[ "\${funcstack[1]}" == _shardwright ]]; then _shardwright "$@"; else compdef _shardwright shardwright; fi`
}

function commandCase({ path, words, options }: CompletedCommand): string {
  return `    (${shellWord(path)}) items=(${words.map(item).join(' ')}); flags=(${options.map(item).join(' ')}) ;;`
}

function item({ word, description }: CompletedWord): string {
  return shellWord(`${word}:${description}`)
}

function valueCase({ word, value }: CompletedOption): readonly string[] {
  if (value === 'file') return [`    (${word}) _files; return ;;`]
  if (value === 'any' || value === 'none') return []
  return [`    (${word}) compadd -- ${value.join(' ')}; return ;;`]
}
