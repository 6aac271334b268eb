import { defineSchema, reference, type ShardKey, sharded, single } from '@shardwright/core'
import {
  CamelCasePlugin,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SelectQueryNode,
} from 'kysely'
import { describe, expect, it } from 'vitest'

interface Database {
  walletEntries: { festivalId: ShardKey<string>; id: string }
  'app.userTickets': { userID: ShardKey<bigint>; id: string }
  accounts: { id: ShardKey<bigint> }
  festivals: { id: string }
  settings: { name: string }
}
const tables = {
  walletEntries: sharded('festivalId', { fanOut: true }),
  'app.userTickets': sharded('userID', { family: 'user' }),
  accounts: sharded('id', { family: 'user' }),
  festivals: reference(),
  settings: single('shard-1'),
} as const

describe('defineSchema', () => {
  const schema = defineSchema<Database>({ naming: 'snake_case' })({ tables })

  it('finds tables by their physical names', () => {
    expect(schema.find('wallet_entries')).toEqual({
      kind: 'sharded',
      name: 'walletEntries',
      table: 'wallet_entries',
      schema: 'public',
      key: 'festival_id',
      keyName: 'festivalId',
      family: 'festivalId',
      fanOut: true,
    })
    expect(schema.find('wallet_entries', 'public')).toBe(schema.find('wallet_entries'))
    expect(schema.find('wallet_entries', 'app')).toBeUndefined()
    expect(schema.find('user_tickets')).toBeUndefined()
    expect(schema.find('user_tickets', 'app')).toMatchObject({ key: 'user_id', family: 'user', fanOut: false })
    expect(schema.find('settings')).toMatchObject({ kind: 'single', shard: 'shard-1' })
    for (const name of ['walletEntries', 'toString', '__proto__', 'constructor', ''])
      expect(schema.find(name)).toBeUndefined()
    expect(schema.find('wallet_entries', '__proto__')).toBeUndefined()
  })

  it('names tables and columns as CamelCasePlugin does', () => {
    const db = new Kysely<Database>({
      dialect: {
        createAdapter: () => new PostgresAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (d) => new PostgresIntrospector(d),
        createQueryCompiler: () => new PostgresQueryCompiler(),
      },
      plugins: [new CamelCasePlugin()],
    })
    const { query, sql } = db.selectFrom('app.userTickets').select('userID').compile()
    expect(SelectQueryNode.is(query)).toBe(true)
    const found = schema.find('user_tickets', 'app')!
    expect(sql).toBe(`select "${(found as { key: string }).key}" from "${found.schema}"."${found.table}"`)
  })

  it('groups families, and is frozen', () => {
    expect([...schema.families.keys()]).toEqual(['festivalId', 'user'])
    expect(schema.families.get('user')!.tables.map(({ name }) => name)).toEqual(['app.userTickets', 'accounts'])
    expect(() => (schema.families as Map<string, unknown>).set('x', 1)).toThrow(TypeError)
    expect(() => (schema.families as Map<string, unknown>).clear()).toThrow(TypeError)
    for (const value of [
      schema,
      schema.tables,
      schema.tables[0],
      schema.families.get('user'),
      schema.families.get('user')!.tables,
    ])
      expect(Object.isFrozen(value)).toBe(true)
  })

  it('takes a default schema', () => {
    const elsewhere = defineSchema<{ wallets: { k: ShardKey<string> }; 'public.logs': { k: ShardKey<string> } }>({
      defaultSchema: 'app',
    })({ tables: { wallets: sharded('k'), 'public.logs': sharded('k') } })
    expect(elsewhere.find('wallets')).toBe(elsewhere.find('wallets', 'app'))
    expect(elsewhere.find('wallets', 'public')).toBeUndefined()
    expect(elsewhere.find('logs', 'public')?.name).toBe('public.logs')
  })

  it.each([
    ['a table without placement', { a: undefined }, 'MISSING_PLACEMENT'],
    ['a null placement', { a: null }, 'MISSING_PLACEMENT'],
    ['a placement made by hand, wrongly', { a: { kind: 'sharded' } }, 'INVALID_SCHEMA'],
    ['a text', { a: 'key' }, 'INVALID_SCHEMA'],
    ['an empty key', { a: sharded('') }, 'INVALID_SCHEMA'],
    ['an empty shard', { a: single('') }, 'INVALID_SCHEMA'],
    ['no table', {}, 'INVALID_SCHEMA'],
    ['no tables', undefined, 'INVALID_SCHEMA'],
    ['one table by two names', { a: reference(), 'public.a': reference() }, 'DUPLICATE_TABLE'],
    ['an empty name', { '': reference() }, 'INVALID_SCHEMA'],
    ['half a name', { 'app.': reference() }, 'INVALID_SCHEMA'],
  ])('refuses %s', (_, given, code) => {
    expect(() => defineSchema()({ tables: given as never })).toThrow(
      expect.objectContaining({ name: 'SchemaError', code }),
    )
  })

  it('refuses two names that one spelling makes equal', () => {
    expect(() =>
      defineSchema({ naming: 'snake_case' })({
        tables: { userTickets: reference(), user_tickets: reference() } as never,
      }),
    ).toThrow(expect.objectContaining({ code: 'DUPLICATE_TABLE' }))
  })

  it('refuses unknown options', () => {
    expect(() => defineSchema({ naming: 'camelCase' } as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_SCHEMA' }),
    )
  })
})
