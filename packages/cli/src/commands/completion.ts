import type { Command as CommanderCommand } from 'commander'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** The completion script of a shell, made from the commands themselves. */
export function completionScript(program: CommanderCommand, shell: Shell): string {
  const words = wordsOf(program)
  if (shell === 'fish') return fishScript(words)
  const cases = [...words].map(([path, list]) => `    '${path}') words='${list.join(' ')}' ;;`).join('\n')
  const bash = `_shardwright() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _shardwright shardwright`
  return shell === 'zsh' ? `autoload -U +X bashcompinit && bashcompinit\n${bash}` : bash
}

/** By path of sub-commands (`migrate up`): what may follow. */
function wordsOf(command: CommanderCommand, path = ''): Map<string, readonly string[]> {
  const options = command.options.flatMap((option) => (option.long ? [option.long] : []))
  const words = new Map<string, readonly string[]>([
    [path, [...command.commands.map((sub) => sub.name()), ...options, '--help']],
  ])
  for (const sub of command.commands) {
    for (const [key, list] of wordsOf(sub, path === '' ? sub.name() : `${path} ${sub.name()}`)) words.set(key, list)
  }
  return words
}

function fishScript(words: ReadonlyMap<string, readonly string[]>): string {
  return [...words]
    .map(
      ([path, list]) =>
        `complete -c shardwright -f -n 'test "(string join " " (commandline -opc | string match -v -- "-*")[2..])" = "${path}"' -a '${list.join(' ')}'`,
    )
    .join('\n')
}
