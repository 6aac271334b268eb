import { readdir, readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prefixAfter } from '../src/commands/migrate-new.ts'
import { mergePackageJson } from '../src/init/merge-package-json.ts'
import { formatBytes, formatDuration } from '../src/output/bytes.ts'
import { renderCsv } from '../src/output/csv.ts'
import type { Screen } from '../src/output/screen.ts'
import { renderTable } from '../src/output/table.ts'
import { wrap } from '../src/output/wrap.ts'
import { createProgram } from '../src/program.ts'
import { nodeRefusal } from '../src/run/node-version.ts'
import { cliVersion } from '../src/version.ts'
import { toldFields } from './support/told-fields.ts'

const screen: Screen = { width: 80, interactive: false, line: () => {}, note: () => {} }

it('the version is that of package.json', async () => {
  expect(JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')).version).toBe(cliVersion)
})

it('a Node that cannot read TypeScript is named, with the one that can', () => {
  expect(nodeRefusal('20.20.2')).toMatch(/^shardwright needs Node >= 22\.18 and runs on 20\.20\.2 \(/)
  expect(nodeRefusal('22.17.9')).toBeDefined()
  for (const version of ['22.18.0', '23.0.0', '26.10.0']) expect(nodeRefusal(version)).toBeUndefined()
})

describe('tables', () => {
  it('never are wider than the screen when a column may shrink', () => {
    const text = fc.string({ maxLength: 60 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, text, fc.nat()), { maxLength: 6 }),
        fc.integer({ min: 40, max: 120 }),
        (rows, width) => {
          const lines = renderTable(
            rows,
            [
              { title: 'a', of: (row) => row[0], shrinks: true },
              { title: 'b', of: (row) => row[1], shrinks: true },
              { title: 'n', of: (row) => row[2], align: 'right' },
            ],
            width,
          ).split('\n')
          expect(lines).toHaveLength(rows.length + 1)
          for (const line of lines) expect([...line].length).toBeLessThanOrEqual(width)
        },
      ),
      { verbose: true },
    )
  })

  it('shorten with an ellipsis, align numbers, and show nothing as a dash', () => {
    const rows = [
      { id: 'shard-with-a-long-name', n: 5 },
      { id: null, n: 1234 },
    ]
    const table = renderTable(
      rows,
      [
        { title: 'shard', of: (row) => row.id, shrinks: true },
        { title: 'rows', of: (row) => row.n, align: 'right' },
      ],
      20,
    )
    expect(table).toBe('shard           rows\nshard-with-a-…     5\n-               1234')
  })
})

it('wraps at spaces and keeps the indent', () => {
  expect(wrap('  one two three four', 10, '    ')).toBe('  one two\n    three\n    four')
})

it('csv tells NULL from the empty string and quotes what must be', () => {
  expect(
    renderCsv(
      ['a', 'b'],
      [
        [null, ''],
        ['x"y', 'l1\nl2'],
        [{ a: 1 }, new Date(0)],
      ],
    ),
  ).toBe('a,b\n,""\n"x""y","l1\nl2"\n"{""a"":1}",1970-01-01T00:00:00.000Z')
})

it('init adds to a package.json and changes nothing that stands in it', () => {
  const existing = JSON.stringify({
    name: 'mine',
    scripts: { test: 'echo "Error: no test specified" && exit 1', dev: 'own' },
    dependencies: { kysely: 'file:x.tgz' },
  })
  const wanted = JSON.stringify({
    name: 'app',
    private: true,
    scripts: { test: 'node --test', dev: 'shardwright dev' },
    dependencies: { kysely: '1', pg: '8' },
    devDependencies: { typescript: '7' },
  })
  expect(JSON.parse(mergePackageJson(existing, wanted))).toEqual({
    name: 'mine',
    private: true,
    type: 'module',
    scripts: { test: 'node --test', dev: 'own' },
    dependencies: { kysely: 'file:x.tgz', pg: '8' },
    devDependencies: { typescript: '7' },
  })
})

it('a new migration sorts last, and is named as the others are', () => {
  const stamp = /^20\d\d-\d\d-\d\d-\d{4}$/
  expect(prefixAfter(['0001_a.ts', '0010_b.sql', 'README.md'])).toBe('0011')
  expect(prefixAfter(['01_a.ts', '99_b.ts'])).toMatch(stamp)
  expect(prefixAfter(['01_a.ts', '002_b.ts'])).toMatch(stamp)
  expect(prefixAfter(['0001_a.ts', '2026-11-28-0236_b.ts'])).toMatch(stamp)
  expect(prefixAfter(['20261128000000_a.ts'])).toMatch(stamp)
  expect(prefixAfter([])).toMatch(stamp)
})

it('sizes and times read well', () => {
  expect([0, 999, 8_200_000, 123_000_000_000].map(formatBytes)).toEqual(['0 B', '999 B', '8.2 MB', '123 GB'])
  expect([12.4, 12_340].map(formatDuration)).toEqual(['12 ms', '12.3 s'])
})

it('every command explains itself with an example, no line wider than 80, and every option says what it does', () => {
  const visit = (command: ReturnType<typeof createProgram>['commander']) => {
    let help = ''
    const writeOut = (text: string) => {
      help += text
    }
    command.configureOutput({ writeOut }).outputHelp()
    if (command.commands.length === 0) expect(help, command.name()).toContain('\nExamples:\n')
    for (const line of help.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
    for (const option of command.options) expect(option.description, option.flags).not.toBe('')
    for (const sub of command.commands) visit(sub as typeof command)
  }
  visit(createProgram(screen).commander)
})

it('the operations page tells the fields of every command, and a test holds each of them', async () => {
  const leaves = (command: ReturnType<typeof createProgram>['commander'], path: readonly string[]): string[] => [
    ...(command.commands.length === 0 || acts.has(path.join(' ')) ? [path.join(' ')] : []),
    ...command.commands.flatMap((sub) => leaves(sub as typeof command, [...path, sub.name()])),
  ]
  // A group that is a command by itself.
  const acts = new Set(['monitor'])
  const told = [...(await toldFields()).keys()]
  const commands = new Set(told.map((words) => words.replace(/ (--.*|\(Citus\))$/, '')))
  expect([...commands].toSorted()).toEqual(leaves(createProgram(screen).commander, []).toSorted())
  const folder = new URL('.', import.meta.url)
  const tests = await Promise.all(
    (await readdir(folder))
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => readFile(new URL(file, folder), 'utf8')),
  )
  const held = tests.join('\n')
  // The names behind a loop over a group: `lookups ${name}`.
  const inLoop = ['lookups', 'views'].filter((group) => held.includes(`expectTold(\`${group} \${name}\``))
  for (const words of told) {
    const byLoop = inLoop.some((group) => words.startsWith(`${group} `))
    expect(byLoop || held.includes(`['${words}'`) || held.includes(`'${words}',`), `no test holds ${words}`).toBe(true)
  }
})
