import { type RawBuilder, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Cases } from './cases/fixture.ts'
import type { AnyKysely } from './world/database.ts'

// Raw text as people write it: read as PostgreSQL reads it, or refused.
let cases: Cases

beforeAll(async () => {
  cases = await Cases.start()
  await cases.fill()
})

afterAll(async () => {
  await cases?.[Symbol.asyncDispose]()
})

const expressions: Readonly<Record<string, RawBuilder<unknown>>> = {
  'a comment': sql`v /* of the row */ + 1`,
  'a comment in a comment': sql`v /* one /* two */ still one */ + 1`,
  'a comment behind an operator': sql`v*/* two */2`,
  'a line comment behind an operator': sql`v+-- one more
    1`,
  'a line comment': sql`v -- of the row
    + 1`,
  'a quote in a comment': sql`v /* it's */ + 1`,
  'a comment in a string': sql`coalesce(name, '--') || '/*'`,
  'dollar quotes': sql`coalesce(name, $$it's; -- "$$) || $tag$ $$ $tag$`,
  'an escaped string': sql`coalesce(name, E'it\\'s\\n--') || e'\\\\'`,
  'a backslash': sql`coalesce(name, '\\x' || '\\\\') like '%\\_%'`,
  'two quotes': sql`coalesce(name, '''') || ''''''`,
  'bits and hexadecimals': sql`(B'101' & b'110')::text || X'1F'::text || coalesce(name, '')`,
  'a national string': sql`coalesce(name, N'b')`,
  'numbers of other bases': sql`v + 0x1F + 0b11 + 0o17 + 1_000`,
  'a named argument': sql`make_interval(days => v, hours => 2)`,
  'a function of a schema': sql`pg_catalog.lower(name) || "pg_catalog"."upper"(name)`,
  'a type of a schema': sql`v::pg_catalog.text || cast(v as "pg_catalog"."text")`,
  'a collation of a schema': sql`upper(name collate pg_catalog."C")`,
  'words of functions': sql`overlay(name placing 'x' from 1 for 1) || trim(both ' ' from name) || position('a' in name)`,
  arrays: sql`(array[v, g])[1:2]::text`,
  'an operator of a schema': sql`v operator(pg_catalog.+) 1`,
  'a column behind its table': sql`"T".v + "T"."g"`,
  'a question mark': sql`jsonb_build_object('v', v) ? 'v'`,
}

describe.each(Object.keys(expressions))('%s', (name) => {
  const expression = expressions[name] as RawBuilder<unknown>

  test('is selected, grouped and sorted by', async () => {
    await cases.same((db) => db.selectFrom('T').select(['id', expression.as('e')]))
    await cases.same((db) =>
      db
        .selectFrom('T')
        .select([expression.as('e'), sql`count(*)`.as('n')])
        .groupBy(expression),
    )
    await cases.same((db) => db.selectFrom('T').select('id').orderBy(expression).orderBy('id').limit(7), {
      ordered: true,
    })
  })
})

const rows = (db: AnyKysely) => db.selectFrom('T').select(['id', 'v'])

test('a line comment and a semicolon may end a statement', async () => {
  const ends: readonly ((db: AnyKysely) => { execute(): Promise<unknown[]> })[] = [
    (db) => rows(db).orderBy('id').modifyEnd(sql`-- route: wallets`),
    (db) => rows(db).orderBy(sql`id -- the last`),
    (db) => rows(db).orderBy('id').limit(sql<number>`3 -- rows`),
    (db) => rows(db).where(sql<boolean>`v > ${3} -- ${sql.raw('three')}`),
    (db) => rows(db).orderBy('id').limit(4).modifyEnd(sql`;`),
    (db) => rows(db).where(sql<boolean>`v > 3;`),
    (db) => rows(db).where(sql<boolean>`v > 3 ; -- all`),
    (db) =>
      db
        .selectFrom('T')
        .select(['g', sql`count(*)`.as('n')])
        .groupBy(sql`g -- by g`),
    (db) =>
      db
        .selectFrom('T')
        .select(['g', sql`sum(v)`.as('n')])
        .groupBy('g')
        .having(sql<boolean>`count(*) > 2 -- some`),
  ]
  for (const end of ends) {
    await cases.same(end)
    await cases.same((db) => end(db.withSchema('public') as AnyKysely))
  }
  const own = cases.router.for({ k: 3 } as never) as unknown as AnyKysely
  const expected = await rows(cases.one).where('k', '=', 3).execute()
  expect(await rows(own).where(sql<boolean>`id >= 0 -- all of them`).execute()).toEqual(expected)
})

test('what ends before the statement does, or is not closed, is refused', async () => {
  const refused: readonly ((db: AnyKysely) => { execute(): Promise<unknown[]> })[] = [
    // The rest of the line is a comment for PostgreSQL, and not for us.
    (db) => rows(db).where(sql<boolean>`v > 3 -- all`).orderBy('id'),
    (db) => db.selectFrom('T').select(sql`v -- all`.as('e')),
    (db) => rows(db).where(sql<boolean>`v > 3 -- one`).orderBy(sql`id -- two`),
    (db) => rows(db).where(sql<boolean>`v > 3;`).orderBy('id'),
    (db) => rows(db).where(sql<boolean>`v > 3; delete from "T"`),
    (db) => rows(db).where(sql<boolean>`v > 3 /* all`),
    (db) => rows(db).where(sql<boolean>`v > 3 /* a /* b */`),
    (db) => rows(db).where(sql<boolean>`name = 'a`),
    (db) => rows(db).where(sql<boolean>`name = '\\' or name = 'a'`),
    (db) => rows(db).where(sql<boolean>`name = $a$ a $b$`),
    (db) => rows(db).where(sql<boolean>`U&"v" > 3`),
    // No parameters for PostgreSQL.
    (db) => rows(db).where(sql<boolean>`name = '${3}' and v > ${4}`),
    (db) => rows(db).where(sql<boolean>`v > 3 /* ${3} */`),
    (db) => rows(db).where(sql<boolean>`"${3}" > 3`),
    (db) => rows(db).where(sql<boolean>`v > 3 -- ${3}`),
    // The number of a parameter is the whole statement's.
    (db) => rows(db).where('id', '>', 3).where(sql<boolean>`v > $1`),
  ]
  for (const [index, statement] of refused.entries())
    expect([index, await cases.refusal(statement)]).toEqual([index, 'RAW_SQL_NOT_UNDERSTOOD'])
})
