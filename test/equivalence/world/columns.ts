import type { Random } from '../random.ts'

/** What a generator may do with a column or an expression. */
export type Kind =
  | 'key'
  | 'id'
  | 'int'
  | 'big'
  | 'num'
  | 'money'
  | 'float'
  | 'text'
  | 'ci'
  | 'ctext'
  | 'ts'
  | 'date'
  | 'bool'
  | 'array'
  | 'json'
  | 'bytes'
  | 'enum'
  | 'uuid'
  | 'small'
  | 'real'
  | 'interval'
  | 'time'
  | 'char'
  | 'en'

/**
 * What PostgreSQL leaves open in a value: which of several equal values stands for a group (1.0 and 1.00, 'a' and 'A'
 * under a case-insensitive collation), or the last digits of sums of floats, of double or single precision.
 */
export type Open = 'spelling' | 'float' | 'single'

export function isInexact(open: Open | undefined): boolean {
  return open === 'float' || open === 'single'
}

export interface Column {
  readonly name: string
  readonly kind: Kind
  readonly open?: Open | undefined
}

export const keyTypes = ['int4', 'text', 'int8', 'uuid', 'int2', 'varchar', 'date', 'timestamptz', 'timestamp'] as const
export type WorldKeyType = (typeof keyTypes)[number]

/** The SQL type of each kind; `key` is the world's. */
export const sqlTypes: Readonly<Record<Exclude<Kind, 'key'>, string>> = {
  id: 'int not null',
  int: 'int',
  big: 'bigint',
  num: 'numeric',
  money: 'numeric(12,2)',
  float: 'float8',
  text: 'text',
  ci: 'text collate ci',
  ctext: 'text collate "C"',
  ts: 'timestamptz',
  date: 'date',
  bool: 'boolean',
  array: 'int[]',
  json: 'jsonb',
  bytes: 'bytea',
  enum: 'mood',
  uuid: 'uuid',
  small: 'smallint',
  real: 'real',
  interval: 'interval',
  time: 'time',
  char: 'char(3)',
  en: 'text collate "en-US-x-icu"',
}

function columns(text: string): readonly Column[] {
  return text.split(' ').map((entry) => {
    const [name, kind] = entry.split(':') as [string, Kind]
    return { name, kind }
  })
}

/** t, u and x have the world's key, p too by another name; w has a key of its own; r is on every shard; o on one. */
export const tables = {
  t: columns(
    'k:key id:id g:int v:int b:big n:num m:money f:float name:text ci:ci cc:ctext ts:ts d:date ok:bool arr:array j:json y:bytes e:enum s:small fr:real iv:interval tm:time ch:char en:en',
  ),
  u: columns('k:key id:id tid:int g:int v:int m:money name:text ts:ts'),
  x: columns('id:id k:key g:int name:text'),
  p: columns('id:id owner:key g:int m:money name:text'),
  w: columns('h:int id:id k:key v:int'),
  r: columns('id:id g:int label:text rate:num'),
  o: columns('id:id g:int note:text'),
} as const satisfies Record<string, readonly Column[]>

export type TableName = keyof typeof tables

export const tableNames = Object.keys(tables) as TableName[]

export const keyOf: Readonly<Partial<Record<TableName, { readonly column: string; readonly family: string }>>> = {
  t: { column: 'k', family: 'k' },
  u: { column: 'k', family: 'k' },
  x: { column: 'k', family: 'k' },
  p: { column: 'owner', family: 'k' },
  w: { column: 'h', family: 'h' },
}

const words = [
  'a',
  'A',
  'b',
  'B',
  'ä',
  'Ä',
  'z',
  'Z',
  '',
  'é',
  'e',
  '10',
  '9',
  '_x',
  'a b',
  'ab',
  'Straße',
  'strasse',
  '-1',
  'Ω',
]
const numerics = [
  '1',
  '1.0',
  '1.00',
  '-2.25',
  '0',
  '0.000',
  '1000000000000.123456',
  '3.14159265358979',
  '7',
  '-0.5',
  '99.99',
]
const bigs = [
  '9007199254740993',
  '-9007199254740993',
  '-9007199254740992',
  '1',
  '0',
  '4611686018427387',
  '9007199254740992',
  '-1',
  '12345678901',
]
const times = [
  '2024-01-31 23:59:59.999999+00',
  '2024-02-01 00:00:00+00',
  '2024-02-01 00:00:00.000001+00',
  '1999-12-31 12:00:00+00',
  '2030-06-15 08:30:00.5+00',
  '2024-02-29 10:00:00+00',
]
const dates = ['2024-01-31', '2024-02-01', '1999-12-31', '2030-06-15', '2024-02-29']
const jsons = [{ a: 1, b: [1, 2] }, { a: 'x' }, [1, 2, 3], 'text', 12.5, {}, { a: null }]
const arrays = [[1, 2], [], [2, null], [3], [1, 2, 3]]

const intervals = ['1 day', '02:00:00', '-3 days', '1 year', '00:00:00.5', '5 mons 10 days']
const clocks = ['00:00:00', '23:59:59.999999', '08:30:00', '12:00:00']
const codes = ['a', 'A', 'ab', 'abc', 'B', '', 'z']

export const samples = { words, numerics, bigs, times, dates, intervals, clocks, codes, moods: ['sad', 'ok', 'happy'] }

/** A value of a kind, as JSON that jsonb_populate_recordset reads. */
export function sampleOf(kind: Kind, random: Random): unknown {
  switch (kind) {
    case 'int':
      return random.between(-3, 9)
    case 'big':
      return random.pick(bigs)
    case 'num':
      return random.pick(numerics)
    case 'money':
      return `${random.between(-50, 500)}.${random.pick(['00', '25', '10', '99'])}`
    case 'float':
      return random.pick(['0.1', '0.2', '1.5', '-3.75', '1e10', '100', '0', '-0.7'])
    case 'text':
    case 'ci':
    case 'ctext':
    case 'en':
      return random.pick(words)
    case 'small':
      return random.between(-3, 9)
    case 'real':
      return random.pick(['0.1', '0.25', '1.5', '-3.75', '1e10', '100', '0'])
    case 'interval':
      return random.pick(intervals)
    case 'time':
      return random.pick(clocks)
    case 'char':
      return random.pick(codes)
    case 'ts':
      return random.pick(times)
    case 'date':
      return random.pick(dates)
    case 'bool':
      return random.chance(0.5)
    case 'array':
      return random.pick(arrays)
    case 'json':
      return random.pick(jsons)
    case 'bytes':
      return random.pick(['\\x00', '\\xff', '\\x', '\\x0102', '\\xdeadbeef'])
    case 'enum':
      return random.pick(samples.moods)
    case 'uuid':
      return '6f2c0a3e-0000-4000-8000-000000000001'
    case 'key':
    case 'id':
      throw new RangeError(`${kind} has no free values`)
  }
}
