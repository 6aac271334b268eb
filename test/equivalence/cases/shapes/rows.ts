import type { Shape } from './shape.ts'

/** Single rows: expressions, order, functions in FROM. */
export const rows: readonly Shape[] = [
  {
    name: 'json path',
    ordered: true,
    code: `db.selectFrom('t').select((eb) => ['id', eb.ref('j', '->>').key('a').as('a')]).orderBy((eb) => eb.ref('j', '->>').key('a')).orderBy('id')`,
  },
  { name: 'arrays', ordered: true, code: `db.selectFrom('t').select(['id', 'arr']).orderBy('arr').orderBy('id')` },
  {
    name: 'offset ties',
    ordered: false,
    code: `db.selectFrom('t').select('g').orderBy('g').offset(3).fetch(4, 'with ties')`,
  },
  {
    name: 'dup names',
    ordered: true,
    code: `db.selectFrom('t').innerJoin('u', 'u.k', 't.k').select(['t.id', 'u.id']).orderBy('t.id').orderBy('u.id')`,
  },
  {
    name: 'all cols',
    ordered: true,
    code: `db.selectFrom('t').innerJoin('u', 'u.k', 't.k').selectAll().orderBy('t.id').orderBy('u.id')`,
  },
  {
    name: 'alias order expr',
    ordered: true,
    code: `db.selectFrom('t').select((eb) => [eb.neg(eb.ref('v')).as('v'), 'id']).orderBy('v').orderBy('id')`,
  },
  {
    name: 'alias order qualified',
    ordered: true,
    code: `db.selectFrom('t').select((eb) => [eb.neg(eb.ref('v')).as('v'), 'id']).orderBy('t.v').orderBy('t.id')`,
  },
  {
    name: 'avg interval',
    ordered: false,
    code: `db.selectFrom('t').select(sql\`avg(ts - '2020-01-01'::timestamptz)\`.as('s'))`,
  },
  {
    name: 'time order',
    ordered: true,
    code: `db.selectFrom('t').select(['id', sql\`ts::time\`.as('c')]).orderBy('c').orderBy('id').limit(9)`,
  },
  {
    name: 'srf',
    ordered: true,
    code: `db.selectFrom('t').select((eb) => ['id', eb.fn('unnest', ['arr']).as('x')]).orderBy('id').orderBy('x')`,
  },
  {
    name: 'bool order',
    ordered: true,
    code: `db.selectFrom('t').select('id').orderBy((eb) => eb('v', '>', 3), 'desc').orderBy('id')`,
  },
  {
    name: 'lat values',
    ordered: false,
    code: `db.selectFrom('t').crossJoinLateral((eb) => eb.fn('unnest', ['t.arr']).as('z')).select(['t.id'])`,
  },
  {
    name: 'VALUES in FROM',
    ordered: true,
    code: `db.selectFrom(sql\`(values (1, 'a'), (2, 'b'))\`.as(sql\`v(i, s)\`)).select(['v.i', 'v.s']).orderBy('i')`,
  },
  {
    name: 'a table joined with VALUES',
    ordered: false,
    code: `db.selectFrom('t').innerJoin(sql\`(values (\${1}::int, \${'a'}), (2, 'b'))\`.as(sql\`v(i, s)\`), 'v.i', 't.g').select(['t.id', 'v.s'])`,
  },
  {
    name: 'least in the arguments of a function in FROM',
    ordered: false,
    code: `db.selectFrom('t').crossJoinLateral(sql\`generate_series(1, least(t.g, 3))\`.as(sql\`s(i)\`)).select(['t.id', 's.i'])`,
  },
  {
    name: 'raw ORDER BY by an alias',
    ordered: true,
    code: `db.selectFrom('t').select([sql\`-id\`.as('minus')]).orderBy(sql\`minus\`).limit(5)`,
  },
  {
    name: 'raw ORDER BY by an alias that is a column too',
    ordered: true,
    code: `db.selectFrom('t').select([sql\`-id\`.as('g'), 'v']).orderBy(sql\`(g) desc\`)`,
  },
  {
    name: 'COLLATE in ORDER BY makes an expression of columns, not of outputs',
    ordered: true,
    code: `db.selectFrom('t').select([sql\`upper(name) || id\`.as('cc'), 'id']).orderBy('cc', (ob) => ob.collate('C')).orderBy('id')`,
  },
  {
    name: 'an integer that a cast rounds, as a key',
    ordered: false,
    code: `db.selectFrom('t').select('id').where('k', '=', (eb) => eb.cast(sql.lit(6.6), 'int4'))`,
  },
  {
    name: 'OFFSET and LIMIT that add up to more than a bigint',
    ordered: true,
    code: `db.selectFrom('t').select('id').orderBy('id').limit('9223372036854775807').offset(3n)`,
  },
  {
    name: 'WITH ORDINALITY of an array, joined',
    ordered: false,
    code: `db.selectFrom('t').innerJoin(sql\`unnest(array[3, 1, 2]) with ordinality\`.as(sql\`o(x, place)\`), (join) => join.on(sql\`o.x = t.g\`)).select(['t.id', sql\`o.place\`.as('place')])`,
  },
]
