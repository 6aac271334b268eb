import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completionScript, type Shell } from '../src/completion/completion-script.ts'
import type { Screen } from '../src/output/screen.ts'
import { createProgram } from '../src/program.ts'
import { collect } from './support/app.ts'

const screen: Screen = { width: 80, interactive: false, line: () => {}, note: () => {} }
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardwright-completion-'))
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    await writeFile(file(shell), completionScript(createProgram(screen).commander, shell))
  }
  await writeFile(path.join(folder, 'other.config.ts'), '')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const file = (shell: Shell) => path.join(folder, `script.${shell}`)

/** What is typed, and what one candidate makes of it. */
const typed: readonly (readonly [string, string])[] = [
  ['mi', 'migrate'],
  ['migrate d', 'migrate down'],
  ['--json migrate up --dry', '--json migrate up --dry-run'],
  ['migrate up --shard shard-1 --canary 1 --no-l', 'migrate up --shard shard-1 --canary 1 --no-lint'],
  ['partitions convert orders --drop', 'partitions convert orders --drop-old'],
  ['topology val', 'topology validate'],
  ['completion z', 'completion zsh'],
  ["sql 'select 1' --format c", "sql 'select 1' --format csv"],
  ['status --config oth', 'status --config other.config.ts'],
  ['shards --js', 'shards --json'],
]

function lastWords(shell: 'bash' | 'fish', words: string): string[] {
  const parts = words.replace("'select 1'", 'select_1').split(' ')
  const script =
    shell === 'bash'
      ? `source ${file('bash')}; COMP_WORDS=(shardwright ${parts.join(' ')}); COMP_CWORD=${parts.length}; _shardwright; printf '%s\\n' "\${COMPREPLY[@]}"`
      : `source ${file('fish')}; complete -C 'shardwright ${parts.join(' ')}'`
  const out = execFileSync(shell, ['-c', script], {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, LANG: 'C.UTF-8' },
  })
  return out.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] as string]))
}

describe('bash', () => {
  it.each(typed)('completes %s to %s', (words, whole) => {
    expect(lastWords('bash', words)).toEqual([whole.split(' ').at(-1)])
  })

  it('offers nothing where a free value stands', () => {
    expect(lastWords('bash', 'migrate up --shard s')).toEqual([])
  })
})

describe.skipIf(!['/usr/bin/fish', '/bin/fish', '/usr/local/bin/fish'].some(existsSync))('fish', () => {
  it.each(typed)('completes %s to %s', (words, whole) => {
    expect(lastWords('fish', words)).toEqual([whole.split(' ').at(-1)])
  })

  it('says what each command does', () => {
    const out = execFileSync('fish', ['-c', `source ${file('fish')}; complete -C 'shardwright migrate '`], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: folder },
    })
    expect(out).toContain('lint\twhat the linter says of the pending migrations')
  })
})

const zsh = ['/usr/bin/zsh', '/bin/zsh', '/usr/local/bin/zsh'].find(existsSync)
describe.skipIf(!zsh || !existsSync('/usr/bin/script'))('zsh', () => {
  it('completes as it is typed, at its own prompt', async () => {
    const child = spawn('/usr/bin/script', ['-qec', `${zsh} -f -i`, '/dev/null'], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, TERM: 'dumb', LANG: 'C.UTF-8' },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const ended = collect(child)
    const begin = ['autoload -U compinit', 'compinit -u -D', `source ${file('zsh')}`, 'PROMPT=']
    child.stdin.write(`${begin.join('; ')}; shardwright() { print -r -- "GOT:\${(q)@}:" }; print READY\n`)
    await new Promise<void>((resolve) => {
      let seen = ''
      child.stdout.on('data', (text: string) => {
        seen += text
        if (/^READY/m.test(seen)) resolve()
      })
    })
    child.stdin.write(`${typed.map(([words]) => `shardwright ${words}\t\n`).join('')}exit\n`)
    const { out } = await ended
    // The shell echoes what is typed, the definition of the function too.
    const got = [...out.matchAll(/GOT:([^$]*?) ?:/g)].map((match) => match[1]?.replace('select\\ 1', "'select 1'"))
    expect(got).toEqual(typed.map(([, whole]) => whole))
  })
})
