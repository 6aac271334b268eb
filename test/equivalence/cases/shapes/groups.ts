import type { Shape } from './shape.ts'

/** Aggregates, groups and windows. */
export const groups: readonly Shape[] = [
  {
    name: 'window over agg',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => ['g', eb.fn.sum(eb.fn.countAll()).over().as('n')]).groupBy('g')`,
  },
  {
    name: 'rank by sum',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => ['g', sql\`rank() over (order by sum(v) desc)\`.as('r')]).groupBy('g')`,
  },
  {
    name: 'rank by sum 2',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => ['g', eb.fn.agg('rank').over((ob) => ob.orderBy(eb.fn.sum('v'), 'desc')).as('r')]).groupBy('g')`,
  },
  {
    name: 'json group',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.ref('j', '->').key('a').as('a'), eb.fn.countAll().as('n')]).groupBy((eb) => eb.ref('j', '->').key('a'))`,
  },
  {
    name: 'max arr',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.fn.max('arr').as('m'), eb.fn.min('e').as('e'), eb.fn.max('ci').as('ci'), eb.fn.min('cc').as('cc')])`,
  },
  {
    name: 'agg arr',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => eb.fn.agg('array_agg', ['e']).orderBy('id').as('m'))`,
  },
  {
    name: 'agg collate',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => eb.fn.agg('string_agg', ['name', sql.lit('|')]).orderBy('name', (ob) => ob.asc().collate('C')).orderBy('id').as('m'))`,
  },
  {
    name: 'agg arg',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => eb.fn.agg('string_agg', [eb.cast('id', 'text'), eb.val('|')]).orderBy('id').as('m'))`,
  },
  {
    name: 'having no group',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => eb.fn.countAll().as('n')).having((eb) => eb(eb.fn.countAll(), '>', 1000))`,
  },
  {
    name: 'having no group 2',
    ordered: false,
    code: `db.selectFrom('t').select(sql\`1\`.as('n')).having((eb) => eb(eb.fn.countAll(), '>', 1))`,
  },
  {
    name: 'pk group',
    ordered: false,
    code: `db.selectFrom('t').innerJoin('u', 'u.k', 't.k').select((eb) => ['t.id', 't.name', eb.fn.count('u.id').as('n')]).groupBy(['t.k', 't.id'])`,
  },
  {
    name: 'pk group r',
    ordered: false,
    code: `db.selectFrom('r').innerJoin('t', 't.g', 'r.g').select((eb) => ['r.id', 'r.label', eb.fn.count('t.id').as('n')]).groupBy('r.id')`,
  },
  {
    name: 'distinct win',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => ['g', eb.fn.countAll().over((ob) => ob.partitionBy('g')).as('n')]).distinct()`,
  },
  {
    name: 'alias group',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.fn('abs', ['v']).as('v'), eb.fn.countAll().as('n')]).groupBy('v')`,
  },
  {
    name: 'alias group 2',
    ordered: true,
    code: `db.selectFrom('t').select((eb) => [eb.fn('abs', ['v']).as('w'), eb.fn.countAll().as('n')]).groupBy('w').orderBy('w')`,
  },
  {
    name: 'intervals',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [sql\`max(ts) - min(ts)\`.as('i'), sql\`sum(ts - '2020-01-01'::timestamptz)\`.as('s')])`,
  },
  {
    name: 'char type',
    ordered: true,
    code: `db.selectFrom('t').select((eb) => [eb.cast('name', sql\`char(3)\`).as('c'), eb.fn.countAll().as('n')]).groupBy('c').orderBy('c')`,
  },
  {
    name: 'grp concat',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.fn.agg('jsonb_object_agg', [eb.cast('id', 'text'), 'g']).as('o')])`,
  },
  {
    name: 'mode sum',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [sql\`sum(v) / count(*)\`.as('a'), sql\`100.0 * count(*) filter (where g = 1) / nullif(count(*), 0)\`.as('b')])`,
  },
  {
    name: 'raw sum expr',
    ordered: true,
    code: `db.selectFrom('t').select(['g', sql\`coalesce(sum(m), 0)::numeric(20,4)\`.as('a')]).groupBy('g').orderBy('a').orderBy('g')`,
  },
  {
    name: 'raw date group',
    ordered: true,
    code: `db.selectFrom('t').select([sql\`date_trunc('month', ts)\`.as('mo'), sql\`count(*)::int\`.as('n')]).groupBy(sql\`date_trunc('month', ts)\`).orderBy('mo')`,
  },
  {
    name: 'raw date group alias',
    ordered: true,
    code: `db.selectFrom('t').select([sql\`to_char(ts, 'YYYY-MM')\`.as('mo'), sql\`count(*)::int\`.as('n')]).groupBy('mo').orderBy('mo', 'desc')`,
  },
  {
    name: 'regr',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.fn.agg('bit_and', ['b']).as('x'), eb.fn.agg('bool_or', ['ok']).filterWhere('g', '=', 1).as('y')]).where('g', '=', 99)`,
  },
  {
    name: 'expressions over a group beside an aggregate that needs the rows',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb('g', '+', 1).as('h'), eb.fn('upper', ['name']).as('u'), eb.case().when('g', '>', 1).then('many').else('few').end().as('c'), sql\`count(*)::int\`.as('n'), sql\`array_agg(id order by id)\`.as('ids')]).groupBy(['g', 'name']).having((eb) => eb(eb('g', '*', 2), '>', 0))`,
  },
  {
    name: 'an alias of another expression than the column it is named like, beside a raw aggregate',
    ordered: true,
    code: `db.selectFrom('t').select([sql\`-g\`.as('g'), sql\`count(*)\`.as('n')]).groupBy('g').orderBy('g')`,
  },
  {
    name: 'ROLLUP with expressions over its columns beside a raw aggregate',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb('g', '+', 1).as('h'), sql\`array_agg(id order by id)\`.as('ids'), sql\`grouping(g)\`.as('a')]).groupBy(sql\`rollup(g)\`)`,
  },
  {
    name: 'columns of a reference table grouped by its primary key, beside a raw aggregate',
    ordered: false,
    code: `db.selectFrom('r').innerJoin('t', 't.g', 'r.id').select((eb) => ['r.label', eb.fn('upper', ['r.label']).as('u'), sql\`array_agg(t.id order by t.id)\`.as('ids')]).groupBy('r.id')`,
  },
  {
    name: 'COLLATE in ORDER BY over groups',
    ordered: true,
    code: `db.selectFrom('t').select((eb) => [sql\`upper(cc)\`.as('cc'), eb.fn.countAll().as('n')]).groupBy('t.cc').orderBy('cc', (ob) => ob.collate('C'))`,
  },
  {
    name: 'GROUP BY ()',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.fn.countAll().as('n'), eb.fn.max('g').as('m')]).where('id', '<', 0).groupBy(sql\`()\`)`,
  },
  {
    name: 'GROUP BY a column and ()',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => ['g', eb.fn.countAll().as('n')]).groupBy(['g', sql\`()\`])`,
  },
  {
    name: 'HAVING of a constant',
    ordered: false,
    code: `db.selectFrom('t').select(sql\`1\`.as('one')).having(sql\`true\`)`,
  },
  {
    name: 'raw text in dollar quotes and with escapes, and a comment to the end of a line',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`g + -- it's (\n 1\`.as('h'), sql\`string_agg(name || $q$ '( $q$ || $$"$$, E'\\\\x41''' order by id)\`.as('s')]).groupBy('g')`,
  },
  {
    name: 'any() of an array of several dimensions, on the key',
    ordered: false,
    code: `db.selectFrom('t').select('id').where((eb) => eb('k', '=', eb.fn.any(eb.val([[1, 2, 3], [4, null, 6]]))))`,
  },
  {
    name: 'GROUP BY DISTINCT of grouping sets that repeat',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => ['g', 'ok', eb.fn.countAll().as('n')]).groupBy([sql\`distinct rollup(g, ok)\`, sql\`rollup(g)\`])`,
  },
  {
    name: 'GROUP BY DISTINCT of plain groups, beside a raw aggregate',
    ordered: false,
    code: `db.selectFrom('t').select(['g', sql\`array_agg(id order by id)\`.as('ids')]).groupBy(sql\`distinct g\`)`,
  },
  {
    name: 'WITH ORDINALITY of a column, lateral',
    ordered: false,
    code: `db.selectFrom(['t', sql\`unnest(t.arr) with ordinality\`.as(sql\`o(x, place)\`)]).select((eb) => [sql\`o.place\`.as('place'), eb.fn.sum(sql\`o.x\`).as('s')]).groupBy(sql\`o.place\`)`,
  },
  {
    name: 'types of several words',
    ordered: false,
    code: `db.selectFrom('t').select(['g', sql\`max(ts::timestamp with time zone)\`.as('a'), sql\`count(*) filter (where ts > timestamp with time zone '2024-02-01 00:00:00+00')\`.as('b')]).groupBy('g')`,
  },
]
