import { readFile } from 'node:fs/promises'
import { type AnyTopology, defineTopology, isCitus } from '@shardwright/core'
import { expect, it } from 'vitest'
import { runProgram } from '../src/run-program.ts'

const page = await readFile(new URL('../../../docs/citus.md', import.meta.url), 'utf8')

async function help(words: readonly string[]): Promise<string> {
  const lines: string[] = []
  const screen = { width: 80, interactive: false, line: (text: string) => void lines.push(text), note: () => {} }
  expect(await runProgram([...words, '--help'], screen), words.join(' ')).toBe(0)
  return lines.join('\n')
}

it('the two topologies of docs/citus.md are what it says', () => {
  const [code = ''] = [...page.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1])
  const [shards, cluster] = new Function('defineTopology', `${code}; return [shards, cluster]`)(
    defineTopology,
  ) as AnyTopology[]
  expect(isCitus(shards as AnyTopology)).toBe(false)
  expect(isCitus(cluster as AnyTopology)).toBe(true)
})

it('every command of docs/citus.md exists, with the options that it shows', async () => {
  const inline = [
    ...page.matchAll(/`((?:shardwright )?(?:citus|topology|transactions|which|transfer|status|doctor) ?[^`]*)`/g),
  ]
  const blocks = [...page.matchAll(/^ {4}(shardwright [^#\n]*)/gm)]
  const commands = [...inline, ...blocks].map((match) => (match[1] ?? '').replace(/^shardwright /, '').trim())
  expect(commands.length).toBeGreaterThan(20)
  for (const command of commands) {
    const words = command.split(/\s+/)
    const options = words.filter((word) => word.startsWith('--'))
    const named = words.filter((word) => /^[a-z]+$/.test(word)).slice(0, words[0] === 'citus' ? 3 : 2)
    const text = await help(withoutArguments(named))
    for (const option of options) expect(text, command).toContain(option)
  }
})

/** `which wallets 42` is the command `which`. */
function withoutArguments(words: readonly string[]): readonly string[] {
  const groups = ['citus', 'nodes', 'rebalance', 'topology', 'transactions', 'migrate']
  const last = words.findIndex((word) => !groups.includes(word))
  return last === -1 ? words : words.slice(0, last + 1)
}
