import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { checksumOf } from '../src/migration/checksum.ts'
import { sqlMigration } from '../src/migration/sql-migration.ts'
import { splitIntoWaves } from '../src/run/waves.ts'
import { isSyntaxError, loadSqlParser, parseSql } from '../src/sql/parse-sql.ts'
import { toolVersion } from '../src/version.ts'

it('the recorded tool version is that of package.json', async () => {
  expect(JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')).version).toBe(toolVersion)
})

it('line endings and a byte order mark do not change a checksum, anything else does', () => {
  expect(checksumOf('\uFEFFa\r\nb')).toBe(checksumOf('a\nb'))
  expect(checksumOf('a\nb ')).not.toBe(checksumOf('a\nb'))
})

it('waves serve every shard once, in order, whatever the waves are', () => {
  const wave = fc.oneof(
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 100 }).map((share) => `${share}%` as const),
    fc.constant('all' as const),
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 50 }), fc.array(wave, { maxLength: 5 }), (count, waves) => {
      const shards = Array.from({ length: count }, (_, index) => index)
      const parts = splitIntoWaves(shards, waves)
      expect(parts.flat()).toEqual(shards)
      expect(parts.every((part) => part.length > 0)).toBe(true)
    }),
    { verbose: true },
  )
  expect(splitIntoWaves(['a', 'b', 'c', 'd', 'e'], [1, '50%', 'all'])).toEqual([['a'], ['b', 'c'], ['d', 'e']])
})

it('splits a script at its statements only, whatever stands in strings and dollar quotes', async () => {
  await loadSqlParser()
  const inner = fc.string({ unit: fc.constantFrom('a', ';', 'é', '😀', '-', '/', '*', ' ', '\n', '"') })
  fc.assert(
    fc.property(fc.array(inner, { minLength: 1, maxLength: 5 }), (texts) => {
      const statements = texts.map((text, index) =>
        index % 2 ? `select '${text}' /* ; */` : `do $x$ ${text} $x$ -- ;\n`,
      )
      const parsed = parseSql(statements.join(';\n'))
      if (isSyntaxError(parsed)) throw new Error(parsed.message)
      expect(parsed.map((statement) => statement.text.includes('$x$'))).toEqual(
        texts.map((_, index) => index % 2 === 0),
      )
      for (const [index, statement] of parsed.entries()) expect(statement.text).toContain(texts[index])
    }),
    { verbose: true },
  )
})

it('directives count however they are written, and a syntax error names the line of the file', async () => {
  const indented = await sqlMigration('0001_a', 'create table a ();\n  --  Shardwright: down\ndrop table a;')
  expect(indented.down).toBeDefined()
  await expect(sqlMigration('0001_a', '-- shardwright: transaction=false\nselect 1;\nselec 2')).rejects.toThrow(
    'line 3',
  )
  await expect(sqlMigration('0001_a', 'select 1;\n-- shardwright: down\nselec 2')).rejects.toThrow('down part, line 3')
})
