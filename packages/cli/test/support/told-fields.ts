import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'

interface ToldFields {
  readonly list: boolean
  readonly required: readonly string[]
  readonly optional: readonly string[]
}

/** What docs/operations.md tells of each command's `--json`, by the command's words. */
export async function toldFields(): Promise<ReadonlyMap<string, ToldFields>> {
  const page = await readFile(new URL('../../../../docs/operations.md', import.meta.url), 'utf8')
  const [, table = ''] = /\| command \| fields under `--json` \|\n\|[-| ]+\|\n((?:\|.*\n)+)/.exec(page) ?? []
  return new Map(
    table
      .trim()
      .split('\n')
      .flatMap((line) => {
        const [, commands = '', fields = ''] = line.split('|')
        const [first = '', ...others] = [...commands.matchAll(/`([^`]+)`/g)].map(([, words = '']) => words)
        const group = first.split(' ').slice(0, -1)
        const [, text = ''] = /`([^`]+)`/.exec(fields) ?? []
        return [first, ...others.map((name) => [...group, name].join(' '))].map(
          (words) => [words, parse(text)] as const,
        )
      }),
  )
}

function parse(text: string): ToldFields {
  const names = text.replace(/^\[|\]$/g, '').split(', ')
  return {
    list: text.startsWith('['),
    required: names.filter((name) => !name.endsWith('?')),
    optional: names.filter((name) => name.endsWith('?')).map((name) => name.slice(0, -1)),
  }
}

/** Holds what a command printed under `--json` against the page. Scripts read these fields. */
export async function expectTold(words: string, out: string): Promise<void> {
  const told = (await toldFields()).get(words)
  expect(told, `docs/operations.md tells nothing of ${words}`).toBeDefined()
  const data: unknown = JSON.parse(out)
  expect(Array.isArray(data), words).toBe(told?.list)
  const entries = (Array.isArray(data) ? data : [data]) as readonly object[]
  expect(entries.length, `${words} gives nothing to compare`).toBeGreaterThan(0)
  for (const entry of entries) {
    const fields = Object.keys(entry)
    expect(fields.filter((field) => !told?.optional.includes(field)).toSorted(), words).toEqual(
      told?.required.toSorted(),
    )
  }
}
