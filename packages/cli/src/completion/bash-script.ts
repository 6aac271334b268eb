import { type CompletedCommand, type CompletedOption, valuedOptions } from './completion-table.ts'
import { shellWord } from './quote.ts'

export function bashScript(table: readonly CompletedCommand[]): string {
  const valued = valuedOptions(table)
  const paths = table.flatMap(({ path }) => (path === '' ? [] : [shellWord(path)]))
  const cases = table.map(({ path, words, options }) => {
    const all = [...words, ...options].map(({ word }) => word).join(' ')
    return `    ${shellWord(path)}) COMPREPLY=($(compgen -W ${shellWord(all)} -- "$current")) ;;`
  })
  return `_shardwright() {
  local current="\${COMP_WORDS[COMP_CWORD]}" at='' valued='' word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [ -n "$valued" ]; then valued=''; continue; fi
    case "$word" in
      ${[...valued.keys()].join('|')}) valued="$word" ;;
      -*) ;;
      *) case "\${at:+$at }$word" in ${paths.join('|')}) at="\${at:+$at }$word" ;; esac ;;
    esac
  done
  case "$valued" in
${[...valued.values()].flatMap(valueCase).join('\n')}
    -*) return ;;
  esac
  case "$at" in
${cases.join('\n')}
  esac
}
complete -F _shardwright shardwright`
}

function valueCase({ word, value }: CompletedOption): readonly string[] {
  if (value === 'file') return [`    ${word}) COMPREPLY=($(compgen -f -- "$current")); return ;;`]
  if (value === 'any' || value === 'none') return []
  return [`    ${word}) COMPREPLY=($(compgen -W ${shellWord(value.join(' '))} -- "$current")); return ;;`]
}
