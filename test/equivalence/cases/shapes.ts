import type { Open } from '../world/columns.ts'

/** A statement as Kysely code over the tables of the generated worlds. */
export interface Shape {
  readonly name: string
  /** The rows must come in one order. */
  readonly ordered: boolean
  readonly code: string
  /** Outputs of which PostgreSQL leaves something open. */
  readonly open?: Readonly<Record<string, Open>>
}

/** Shapes that the generator does not reach, or seldom. */
export const shapes: readonly Shape[] = [
  {
    name: 'select no from',
    ordered: false,
    code: `db.selectNoFrom((eb) => [eb.selectFrom('t').select(eb.fn.countAll().as('n')).as('a'), eb.selectFrom('u').select(eb.fn.sum('v').as('n')).as('b')])`,
  },
  {
    name: 'having sub',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => ['g', eb.fn.countAll().as('n')]).groupBy('g').having((eb) => eb(eb.fn.countAll(), '>', eb.selectFrom('u').select(eb.fn.min('g').as('m'))))`,
  },
  {
    name: 'sub in order',
    ordered: true,
    code: `db.selectFrom('t').select('id').orderBy((eb) => eb.selectFrom('u').select(eb.fn.count('id').as('c')).whereRef('u.k', '=', 't.k')).orderBy('id')`,
  },
  {
    name: 'sub in case',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => ['id', eb.case().when(eb.exists(eb.selectFrom('u').select('u.id').whereRef('u.k', '=', 't.k'))).then(1).else(0).end().as('c')])`,
  },
  {
    name: 'sum of sub',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => eb.fn.sum(eb.selectFrom('u').select(eb.fn.count('u.id').as('c')).whereRef('u.k', '=', 't.k')).as('s'))`,
  },
  {
    name: 'group by sub',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.selectFrom('u').select(eb.fn.count('u.id').as('c')).whereRef('u.k', '=', 't.k').as('q'), eb.fn.countAll().as('n')]).groupBy('q')`,
  },
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
    name: 'limit sub',
    ordered: true,
    code: `db.selectFrom('t').select('id').orderBy('id').limit((eb) => eb.selectFrom('r').select(eb.fn.count('id').as('c')))`,
  },
  {
    name: 'json path',
    ordered: true,
    code: `db.selectFrom('t').select((eb) => ['id', eb.ref('j', '->>').key('a').as('a')]).orderBy((eb) => eb.ref('j', '->>').key('a')).orderBy('id')`,
  },
  {
    name: 'json group',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.ref('j', '->').key('a').as('a'), eb.fn.countAll().as('n')]).groupBy((eb) => eb.ref('j', '->').key('a'))`,
  },
  { name: 'arrays', ordered: true, code: `db.selectFrom('t').select(['id', 'arr']).orderBy('arr').orderBy('id')` },
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
    name: 'in name',
    ordered: false,
    code: `db.selectFrom('t').select('id').where('name', 'in', (eb) => eb.selectFrom('u').select('name'))`,
  },
  {
    name: 'ci in',
    ordered: false,
    code: `db.selectFrom('t').select('id').where('ci', 'in', (eb) => eb.selectFrom('t as b').select('b.ci').where('b.id', '<', 9))`,
  },
  {
    name: 'nested cte',
    ordered: false,
    code: `db.with('a', (q) => q.selectFrom('t').select(['k', 'g'])).with('b', (q) => q.selectFrom('a').select((eb) => ['g', eb.fn.countAll().as('n')]).groupBy('g')).selectFrom('b').selectAll()`,
  },
  {
    name: 'cte hidden by one inside of another',
    ordered: false,
    code: `db.with('x', (q) => q.selectFrom('r as a').innerJoin('t as b', 'b.g', 'a.g').select('b.v')).with('y', (q) => q.with('x', (p) => p.selectFrom('r as a').innerJoin('t as b', 'b.g', 'a.g').select(['b.g', 'b.v'])).selectFrom('x').select((eb) => ['x.g', eb.fn.agg('row_number').over().as('n')])).selectFrom('t').where('t.g', 'in', (eb) => eb.selectFrom('x').select('x.v')).where((eb) => eb('t.v', 'in', eb.selectFrom('y').innerJoin('y as z', 'z.g', 'y.g').select('z.g'))).select((eb) => eb.fn.countAll().as('n'))`,
  },
  {
    name: 'cte in sub',
    ordered: false,
    code: `db.with('a', (q) => q.selectFrom('u').select(['g']).where('g', '>', 1)).selectFrom('t').select('id').where('g', 'in', (eb) => eb.selectFrom('a').select('a.g'))`,
  },
  {
    name: 'cte in sub limit',
    ordered: false,
    code: `db.with('a', (q) => q.selectFrom('u').select(['g']).orderBy('id').limit(5)).selectFrom('t').select('id').where('g', 'in', (eb) => eb.selectFrom('a').select('a.g'))`,
  },
  {
    name: 'offset ties',
    ordered: false,
    code: `db.selectFrom('t').select('g').orderBy('g').offset(3).fetch(4, 'with ties')`,
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
    name: 'union of agg',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => eb.fn.countAll().as('n')).unionAll(db.selectFrom('u').select((eb) => eb.fn.countAll().as('n')))`,
  },
  {
    name: 'union nulls',
    ordered: false,
    code: `db.selectFrom('t').select(['id', sql\`null\`.as('x')]).unionAll(db.selectFrom('u').select(['id', 'g as x']))`,
  },
  {
    name: 'union const',
    ordered: false,
    code: `db.selectFrom('t').select(['id', sql\`'a'\`.as('x')]).union(db.selectFrom('u').select(['id', sql\`'b'\`.as('x')]))`,
  },
  {
    name: 'union param',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => ['id', eb.val('a').as('x')]).union(db.selectFrom('u').select((eb) => ['id', eb.val('b').as('x')]))`,
  },
  {
    name: 'union mixed',
    ordered: true,
    code: `db.selectFrom('t').select(['g as x']).union(db.selectFrom('t').select(['b as x'])).orderBy('x')`,
  },
  {
    name: 'union null param',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => ['id', eb.val(null).as('x')]).union(db.selectFrom('u').select(['id', 'g as x']))`,
  },
  {
    name: 'derived const',
    ordered: false,
    code: `db.selectFrom((eb) => eb.selectFrom('t').select((e) => [e.val('7').as('c'), e.fn.countAll().as('n')]).as('d')).select('d.c').where('d.n', '>', 1)`,
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
    name: 'avg interval',
    ordered: false,
    code: `db.selectFrom('t').select(sql\`avg(ts - '2020-01-01'::timestamptz)\`.as('s'))`,
  },
  {
    name: 'char type',
    ordered: true,
    code: `db.selectFrom('t').select((eb) => [eb.cast('name', sql\`char(3)\`).as('c'), eb.fn.countAll().as('n')]).groupBy('c').orderBy('c')`,
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
    name: 'srf agg',
    ordered: false,
    code: `db.selectFrom((eb) => eb.selectFrom('t').select((e) => e.fn('unnest', ['arr']).as('x')).as('d')).select((eb) => ['d.x', eb.fn.countAll().as('n')]).groupBy('d.x')`,
  },
  {
    name: 'bool order',
    ordered: true,
    code: `db.selectFrom('t').select('id').orderBy((eb) => eb('v', '>', 3), 'desc').orderBy('id')`,
  },
  {
    name: 'upd uncorr',
    ordered: false,
    code: `db.updateTable('t').set((eb) => ({ v: eb.selectFrom('u').select((e) => e.fn.max('u.g').as('m')) }))`,
  },
  {
    name: 'upd corr',
    ordered: false,
    code: `db.updateTable('t').set((eb) => ({ v: eb.selectFrom('u').select((e) => e.fn.max('u.g').as('m')).whereRef('u.k', '=', 't.k') })).returning(['id', 'v'])`,
  },
  {
    name: 'upd self',
    ordered: false,
    code: `db.updateTable('t').set((eb) => ({ v: eb.selectFrom('t as b').select((e) => e.cast(e.fn.countAll(), 'integer').as('m')) }))`,
  },
  {
    name: 'upd param type',
    ordered: false,
    code: `db.updateTable('t').set({ m: '12.345', ts: new Date(0), j: JSON.stringify({ a: 1 }), arr: [1, 2] }).where('id', '<', 20)`,
  },
  {
    name: 'del limit',
    ordered: false,
    code: `db.deleteFrom('t').where('id', 'in', (eb) => eb.selectFrom('t as b').select('b.id').orderBy('b.id').limit(5))`,
  },
  {
    name: 'del not in',
    ordered: false,
    code: `db.deleteFrom('t').where('id', 'not in', (eb) => eb.selectFrom('u').select('u.id'))`,
  },
  {
    name: 'ins sel limit',
    ordered: false,
    code: `db.insertInto('u').columns(['k', 'id', 'g']).expression((eb) => eb.selectFrom('t').select((e) => ['k', e('id', '+', 5000).as('id'), 'g']).orderBy('id').limit(7))`,
  },
  {
    name: 'ins sel conflict',
    ordered: false,
    code: `db.insertInto('u').columns(['k', 'id', 'g']).expression((eb) => eb.selectFrom('t').select(['k', 'id', 'g'])).onConflict((oc) => oc.doNothing())`,
  },
  {
    name: 'ins sel no cols',
    ordered: false,
    code: `db.insertInto('x').expression((eb) => eb.selectFrom('t').select((e) => [e('id', '+', 5000).as('id'), 'k', 'g', 'name']))`,
  },
  {
    name: 'ins types',
    ordered: false,
    code: `db.insertInto('t').values([0, 1, 2, 3].map((i) => ({ k: i, id: 8000 + i, arr: [i, 2], j: JSON.stringify([i]), y: Buffer.from([i]), ts: new Date(i), m: i / 4, ok: i % 2 === 0 }))).returning(['id', 'arr', 'j', 'y', 'ts', 'm', 'ok'])`,
  },
  {
    name: 'ins ref',
    ordered: false,
    code: `db.insertInto('r').expression((eb) => eb.selectFrom('r as b').select((e) => [e('b.id', '+', 100).as('id'), 'b.g', 'b.label', 'b.rate'])).returningAll()`,
  },
  {
    name: 'ref del',
    ordered: false,
    code: `db.deleteFrom('r').where('id', 'in', (eb) => eb.selectFrom('r as b').select('b.id').where('b.g', '>', 2))`,
  },
  {
    name: 'cte keyed',
    ordered: false,
    code: `db.with('c', (q) => q.selectFrom('t').selectAll()).selectFrom('c').innerJoin('u', 'u.k', 'c.k').select(['c.id', 'u.id as uid']).where('c.g', '=', 1)`,
  },
  {
    name: 'lat agg',
    ordered: false,
    code: `db.selectFrom('t').innerJoinLateral((eb) => eb.selectFrom('u').select((e) => e.fn.sum('u.v').as('s')).whereRef('u.k', '=', 't.k').as('l'), (j) => j.onTrue()).select(['t.id', 'l.s'])`,
  },
  {
    name: 'lat values',
    ordered: false,
    code: `db.selectFrom('t').crossJoinLateral((eb) => eb.fn('unnest', ['t.arr']).as('z')).select(['t.id'])`,
  },
  {
    name: 'except order',
    ordered: true,
    code: `db.selectFrom('t').select('name').except(db.selectFrom('u').select('name')).orderBy('name').limit(5)`,
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
    name: 'a CTE named like the table it reads, grouped',
    ordered: false,
    code: `db.with('x', (q) => q.selectFrom('x').select((eb) => ['g', eb.fn.countAll().as('n')]).groupBy('g')).selectFrom('x').selectAll()`,
  },
  {
    name: 'a CTE that reads a table which a later CTE is named like',
    ordered: false,
    code: `db.with('a', (q) => q.selectFrom('u').select((eb) => [eb.fn.countAll().as('n')])).with('u', (q) => q.selectFrom('t').select('id').where('id', '<', 4)).selectFrom('a').innerJoin('u', (join) => join.onTrue()).selectAll()`,
  },
  {
    name: 'arms that read a CTE named like a table',
    ordered: false,
    code: `db.with('u', (q) => q.selectFrom('t').select(['g', 'id'])).selectFrom('u').select('g').union(db.selectFrom('t').select('g'))`,
  },
  {
    name: 'nested set operations, which Kysely writes without parentheses',
    ordered: false,
    code: `db.selectFrom('t').select('g').union((eb) => eb.selectFrom('u').select('g').unionAll(db.selectFrom('x').select('g')))`,
  },
  {
    name: 'EXCEPT with a UNION inside its arm',
    ordered: false,
    code: `db.selectFrom('t').select(['k', 'g']).except(db.selectFrom('u').select(['k', 'g']).union(db.selectFrom('x').select(['k', 'g'])))`,
  },
  {
    name: 'EXCEPT with a UNION in parentheses',
    ordered: false,
    code: `db.selectFrom('t').select('g').except((eb) => eb.parens(db.selectFrom('u').select('g').union(db.selectFrom('x').select('g'))))`,
  },
  {
    name: 'INTERSECT binds tighter than UNION',
    ordered: false,
    code: `db.selectFrom('t').select('g').union(db.selectFrom('u').select('g').where('g', '>', 3)).intersect(db.selectFrom('x').select('g').where('g', '<', 2))`,
  },
  {
    name: 'ORDER BY and LIMIT at the end of the last arm are those of the whole',
    ordered: true,
    code: `db.selectFrom('t').select('g').union(db.selectFrom('u').select('g').orderBy('g').limit(3))`,
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
    name: 'rows of a related table as JSON beside a window',
    ordered: false,
    code: `db.selectFrom('t as a').select((eb) => jsonArrayFrom(eb.selectFrom('p').select(['p.id', 'p.g']).whereRef('p.owner', '=', 'a.k').orderBy('p.id')).as('list')).select(sql\`rank() over (order by \${sql.ref('a.g')})\`.as('r'))`,
  },
  {
    name: 'a name of an output in GROUP BY is no column of the level around',
    ordered: false,
    code: `db.selectFrom('t').select('id').where((eb) => eb.exists(eb.selectFrom('t as b').select((eb) => eb.ref('b.ch').as('other')).groupBy('other')))`,
  },
  {
    name: 'MERGE with rows unmatched on both sides',
    ordered: false,
    code: `db.mergeInto('t').using('u', (on) => on.onRef('u.k', '=', 't.k').onRef('u.id', '=', 't.id')).whenMatched().thenUpdateSet((eb) => ({ g: eb.ref('u.g') })).whenNotMatched().thenInsertValues((eb) => ({ k: eb.ref('u.k'), id: eb('u.id', '+', 3000) })).whenNotMatchedBySource().thenDelete()`,
  },
  {
    name: 'MERGE from a query that needs another one first',
    ordered: false,
    code: `db.mergeInto('t').using((eb) => eb.selectFrom('u as a').select(['a.k', 'a.id', 'a.g']).where('a.g', 'in', (eb) => eb.selectFrom('p').select('p.g')).as('b'), (on) => on.onRef('b.k', '=', 't.k').onRef('b.id', '=', 't.id')).whenMatched().thenUpdateSet((eb) => ({ g: eb.ref('b.g') })).whenNotMatched().thenInsertValues((eb) => ({ k: eb.ref('b.k'), id: eb('b.id', '+', 3000) }))`,
  },
  {
    name: 'MERGE reads a CTE that is named like a table',
    ordered: false,
    code: `db.with('x', (q) => q.selectFrom('t').select('id').where('id', '<', 0)).mergeInto('t').using((eb) => eb.selectFrom('u as a').select(['a.k', 'a.id']).where('a.id', 'in', (eb) => eb.selectFrom('x').select('x.id')).as('b'), (on) => on.onRef('b.k', '=', 't.k').onRef('b.id', '=', 't.id')).whenMatched().thenUpdateSet({ v: 1234 })`,
  },
  {
    name: 'an enum from the one shard that has key 19',
    ordered: false,
    code: `db.selectFrom('t').innerJoin((eb) => eb.selectFrom('t as b').select(['b.g', 'b.e']).where('b.k', '=', 19).orderBy('b.id').limit(3).as('d'), 'd.g', 't.g').select(['t.id', 'd.e'])`,
  },
  {
    name: 'an enum from the one shard that has key 20',
    ordered: false,
    code: `db.selectFrom('t').innerJoin((eb) => eb.selectFrom('t as b').select(['b.g', 'b.e']).where('b.k', '=', 20).orderBy('b.id').limit(3).as('d'), 'd.g', 't.g').select(['t.id', 'd.e'])`,
  },
  {
    name: 'an enum from the one shard that has key 22',
    ordered: false,
    code: `db.selectFrom('t').innerJoin((eb) => eb.selectFrom('t as b').select(['b.g', 'b.e']).where('b.k', '=', 22).orderBy('b.id').limit(3).as('d'), 'd.g', 't.g').select(['t.id', 'd.e'])`,
  },
  {
    name: 'an enum from the one shard that has key 30',
    ordered: false,
    code: `db.selectFrom('t').innerJoin((eb) => eb.selectFrom('t as b').select(['b.g', 'b.e']).where('b.k', '=', 30).orderBy('b.id').limit(3).as('d'), 'd.g', 't.g').select(['t.id', 'd.e'])`,
  },
  {
    name: 'a reference table written by what a CTE wrote and what other shards hold',
    ordered: false,
    code: `db.with('moved', (q) => q.updateTable('u').set({ g: 7 }).where('u.k', '=', 20).returning(['u.k', 'u.id', 'u.g'])).updateTable('r').set((eb) => ({ g: eb('g', '+', 1) })).where((eb) => eb.exists(eb.selectFrom('t').select('t.v'))).where('r.id', 'not in', (eb) => eb.selectFrom('moved').select('moved.g'))`,
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
    name: 'HAVING of nothing but a subquery',
    ordered: false,
    code: `db.selectFrom('t').select(sql\`1\`.as('one')).having((eb) => eb.exists(eb.selectFrom('u').select('u.id')))`,
  },
  {
    name: 'an integer that a cast rounds, as a key',
    ordered: false,
    code: `db.selectFrom('t').select('id').where('k', '=', (eb) => eb.cast(sql.lit(6.6), 'int4'))`,
  },
  {
    name: 'ARRAY of a subquery',
    ordered: false,
    code: `db.selectFrom('r').select((eb) => ['id', eb.fn('array', [eb.selectFrom('t').select('t.id').whereRef('t.g', '=', 'r.g').orderBy('t.id')]).as('ids')])`,
  },
  {
    name: 'raw text in dollar quotes and with escapes, and a comment to the end of a line',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`g + -- it's (\n 1\`.as('h'), sql\`string_agg(name || $q$ '( $q$ || $$"$$, E'\\\\x41''' order by id)\`.as('s')]).groupBy('g')`,
  },
  {
    name: 'OFFSET and LIMIT that add up to more than a bigint',
    ordered: true,
    code: `db.selectFrom('t').select('id').orderBy('id').limit('9223372036854775807').offset(3n)`,
  },
  {
    name: 'a correlated subquery over a grouped column',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => ['g', eb.selectFrom('r').select('label').whereRef('r.id', '=', 't.g').as('label'), eb.fn.countAll().as('n')]).groupBy('g')`,
  },
  {
    name: 'a correlated subquery over a grouped column, beside a raw aggregate',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => ['g', eb.exists(eb.selectFrom('r').select('r.id').whereRef('r.g', '=', 't.g')).as('known'), sql\`count(*)::int\`.as('n')]).groupBy('g').having((eb) => eb(eb.selectFrom('r').select(eb.fn.count('r.id').as('c')).whereRef('r.id', '>', 't.g'), '>', 0))`,
  },
  {
    name: 'any() of an array of several dimensions, on the key',
    ordered: false,
    code: `db.selectFrom('t').select('id').where((eb) => eb('k', '=', eb.fn.any(eb.val([[1, 2, 3], [4, null, 6]]))))`,
  },
  {
    name: 'raw text that contains a grouped call',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`lower(name)\`.as('low'), sql\`'<' || lower(name) || '>'\`.as('marked'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'raw text that contains grouped text, a cast of a group and a bare group',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`coalesce(g + 1, 0) * 2 + length((g + 1)::text)\`.as('a'), sql\`ts::date - date '2000-01-01'\`.as('b'), sql\`v::text || 'x'\`.as('c'), (eb) => eb.fn.sum('id').as('s')]).groupBy([sql\`g + 1\`, sql\`ts::date\`, 'v'])`,
  },
  {
    name: 'raw text that contains a grouped call of Kysely, HAVING and ORDER BY too',
    ordered: true,
    code: `db.selectFrom('t').select((eb) => [eb.fn('date_trunc', [sql.lit('month'), 'ts']).as('month'), eb.fn.countAll().as('n')]).groupBy((eb) => eb.fn('date_trunc', [sql.lit('month'), 'ts'])).having(sql\`extract(year from date_trunc('month', \${sql.ref('ts')})) > 2000\`).orderBy(sql\`date_trunc('month', \${sql.ref('ts')}) + interval '1 day'\`)`,
  },
  {
    name: 'raw text that contains a grouped call, beside a raw aggregate',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`upper(lower(name)) || '!'\`.as('up'), sql\`array_agg(id order by id)\`.as('ids')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 1',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`upper(lower(name)) || lower(name)\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 2',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`(g + v) * 2\`.as('a'), sql\`-(g + v)\`.as('b'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g + v\`)`,
  },
  {
    name: 'a grouped expression inside another, 3',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`g * (g + v)\`.as('a'), (eb) => eb.fn.avg('m').as('n')]).groupBy([sql\`g + v\`, 'g'])`,
  },
  {
    name: 'a grouped expression inside another, 4',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`case when lower(name) = 'a' then 1 else length(lower(name)) end\`.as('a'), (eb) => eb.fn.avg('m').as('n')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 5',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`coalesce(case when g > 1 then 'x' end, 'none')\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`case when g > 1 then 'x' end\`)`,
  },
  {
    name: 'a grouped expression inside another, 6',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`extract(year from ts) + 1\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`extract(year from ts)\`)`,
  },
  {
    name: 'a grouped expression inside another, 7',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`to_char(date_trunc('month', ts) at time zone 'UTC', 'YYYY-MM')\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`date_trunc('month', ts)\`)`,
  },
  {
    name: 'a grouped expression inside another, 8',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`ts::date::text\`.as('a'), sql\`ts::date + 1\`.as('b'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`ts::date\`)`,
  },
  {
    name: 'a grouped expression inside another, 9',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`j->>'a' || '!'\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`j->>'a'\`)`,
  },
  {
    name: 'a grouped expression inside another, 10',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`arr[1] + 1\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`arr[1]\`)`,
  },
  {
    name: 'a grouped expression inside another, 11',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`g % 2 + 1\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g % 2\`)`,
  },
  {
    name: 'a grouped expression inside another, 12',
    ordered: false,
    code: `db.selectFrom('t as p').select([sql\`lower(p.name) || p.g\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy([sql\`lower(p.name)\`, 'p.g'])`,
  },
  {
    name: 'a grouped expression inside another, 13',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`sum(g + v) / (g + v)\`.as('a')]).groupBy(sql\`g + v\`).having(sql\`g + v\`, '<>', 0)`,
  },
  {
    name: 'a grouped expression inside another, 14',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`rank() over (order by lower(name))\`.as('a'), sql\`lower(name)\`.as('b')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 15',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`sum(count(*)) over (partition by lower(name))\`.as('a'), sql\`lower(name)\`.as('b')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 16',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`name::varchar(2) || 'x'\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`name::varchar(2)\`)`,
  },
  {
    name: 'a grouped expression inside another, 17',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`coalesce(lower(name), 'all')\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`rollup(lower(name))\`)`,
  },
  {
    name: 'a grouped expression inside another, 18',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`coalesce(lower(name), 'all')\`.as('a'), sql\`array_agg(id order by id)\`.as('n')]).groupBy(sql\`rollup(lower(name))\`)`,
  },
  {
    name: 'a grouped expression inside another, 19',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`coalesce(g, -1)\`.as('a'), sql\`coalesce(v, -1)\`.as('b'), sql\`count(*)\`.as('n')]).groupBy(sql\`distinct grouping sets ((g, v), (g), (g, v))\`)`,
  },
  {
    name: 'a grouped expression inside another, 20',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`1 + g % 2\`.as('a'), sql\`1 - (g + v) - 1\`.as('b'), (eb) => eb.fn.countAll().as('n')]).groupBy([sql\`g % 2\`, sql\`g + v\`])`,
  },
  {
    name: 'a grouped expression inside another, 21',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`g + v > 3 and g + v < 7\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g + v\`)`,
  },
  {
    name: 'a grouped expression inside another, 22',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`not g > 1\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g > 1\`)`,
  },
  {
    name: 'a grouped expression inside another, 23',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`(g > 1) is true\`.as('a'), sql\`g > 1 is not true\`.as('b'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g > 1\`)`,
  },
  {
    name: 'a grouped expression inside another, 24',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`case g + v when 3 then 'x' else (g + v)::text end\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g + v\`)`,
  },
  {
    name: 'a grouped expression inside another, 25',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`lower(name) in ('a', 'b')\`.as('a'), sql\`lower(name) like 'a%'\`.as('b'), sql\`lower(name) between 'a' and 'c'\`.as('c'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 26',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`lower(name) collate "C" < 'b'\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 27',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`- (g % 2)\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g % 2\`)`,
  },
  {
    name: 'a grouped expression inside another, 28',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb(eb('g', '%', eb.lit(2)), '+', eb.lit(1)).as('a'), eb.fn.countAll().as('n')]).groupBy((eb) => eb('g', '%', eb.lit(2)))`,
  },
  {
    name: 'a grouped expression inside another, 29',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb('g', '+', eb.ref('v')).as('a'), eb.fn.countAll().as('n')]).groupBy((eb) => eb('g', '+', eb.ref('v'))).having((eb) => eb(eb('g', '+', eb.ref('v')), 'is not', null))`,
  },
  {
    name: 'a grouped expression inside another, 30',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb('g', '+', eb.ref('v')).as('a'), eb.fn.countAll().as('n')]).groupBy('a').having((eb) => eb.and([eb(eb('g', '+', eb.ref('v')), '>', 1), eb(eb.fn.countAll(), '>', 0)]))`,
  },
  {
    name: 'a grouped expression inside another, 31',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb(eb.parens(eb('g', '+', eb.ref('v'))), '*', eb.lit(2)).as('a'), eb.fn.countAll().as('n')]).groupBy((eb) => eb('g', '+', eb.ref('v')))`,
  },
  {
    name: 'a grouped expression inside another, 32',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.not(eb('g', '>', eb.lit(1))).as('a'), eb.fn.countAll().as('n')]).groupBy((eb) => eb('g', '>', eb.lit(1)))`,
  },
  {
    name: 'a grouped expression inside another, 33',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.between(eb('g', '%', eb.lit(2)), eb.lit(0), eb.lit(1)).as('a'), eb.fn.agg('array_agg', ['id']).orderBy('id').as('n')]).groupBy((eb) => eb('g', '%', eb.lit(2)))`,
  },
  {
    name: 'a grouped expression inside another, 34',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.case().when(eb('g', '%', eb.lit(2)), '=', 1).then('odd').else('even').end().as('a'), eb.fn.agg('array_agg', ['id']).orderBy('id').as('n')]).groupBy((eb) => eb('g', '%', eb.lit(2))).having((eb) => eb.or([eb(eb('g', '%', eb.lit(2)), '=', 0), eb(eb('g', '%', eb.lit(2)), '<>', 0)]))`,
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
    name: 'WITH ORDINALITY of an array, joined',
    ordered: false,
    code: `db.selectFrom('t').innerJoin(sql\`unnest(array[3, 1, 2]) with ordinality\`.as(sql\`o(x, place)\`), (join) => join.on(sql\`o.x = t.g\`)).select(['t.id', sql\`o.place\`.as('place')])`,
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
  {
    name: 'CTEs that nothing reads, of every kind of table',
    ordered: true,
    code: `db.with('a', (q) => q.selectFrom('t').selectAll()).with('b', (q) => q.selectFrom('o').selectAll()).with('c', (q) => q.selectFrom('a').innerJoin('b', 'b.g', 'a.g').select('a.id')).selectFrom('t').select('id').orderBy('id')`,
  },
  {
    name: 'a CTE that nothing reads, beside one that is read first',
    ordered: false,
    code: `db.with('a', (q) => q.selectFrom('w').select('id')).with('few', (q) => q.selectFrom('t').select('id').orderBy('id').limit(3)).selectFrom('u').innerJoin('few', 'few.id', 'u.id').select('u.id')`,
  },
  {
    name: 'a CTE that nothing reads, in a write and over groups',
    ordered: false,
    code: `db.with('a', (q) => q.selectFrom('w').select((eb) => eb.fn.countAll().as('n'))).updateTable('t').set({ v: 1 }).where('g', '=', 2)`,
  },
]

/** Statements that one PostgreSQL refuses, with its SQLSTATE. */
export const mistakes: readonly { readonly name: string; readonly state: string; readonly code: string }[] = [
  {
    name: 'LIMIT and OFFSET below zero',
    state: '2201X',
    code: `db.selectFrom('t').select('id').orderBy('id').limit(-1).offset(-1)`,
  },
  {
    name: 'LIMIT and OFFSET below zero, without an order',
    state: '2201X',
    code: `db.selectFrom('t').select('id').limit(-1).offset(-1)`,
  },
  {
    name: 'LIMIT and OFFSET below zero, in text order',
    state: '2201X',
    code: `db.selectFrom('t').select('id').orderBy('name').orderBy('id').limit(-1).offset(-1)`,
  },
  {
    name: 'OFFSET below zero',
    state: '2201X',
    code: `db.selectFrom('t').select('id').orderBy('id').limit(3).offset(-1)`,
  },
  {
    name: 'LIMIT below zero',
    state: '2201W',
    code: `db.selectFrom('t').select('id').orderBy('id').limit(-1)`,
  },
  {
    name: 'a CTE that nothing reads and that names no column',
    state: '42703',
    code: `db.with('a', (q) => q.selectFrom('t').select('nope')).selectFrom('t').select((eb) => eb.fn.countAll().as('n'))`,
  },
  {
    name: 'a CTE that nothing reads and that names no column, beside one that is read first',
    state: '42703',
    code: `db.with('few', (q) => q.selectFrom('t').select('id').orderBy('id').limit(3)).with('a', (q) => q.selectFrom('few').select('nope')).selectFrom('u').innerJoin('few', 'few.id', 'u.id').select('u.id')`,
  },
  {
    name: 'a CTE that nothing reads and that names no column, around a set operation',
    state: '42703',
    code: `db.with('a', (q) => q.selectFrom('w').select('nope')).selectFrom('t').select('g').union(db.selectFrom('u').select('g'))`,
  },
  {
    name: 'two CTEs of one name, the first with a mistake of its own',
    state: '42712 (refused by the router before it ran)',
    code: `db.with('x', (q) => q.selectFrom('t').select('nope')).with('x', (q) => q.selectFrom('u').select('id')).selectFrom('x').select('x.id')`,
  },
  {
    name: 'GROUP BY DISTINCT that is not the first item',
    state: '42601',
    code: `db.selectFrom('t').select('g').groupBy(['g', sql\`distinct rollup(g)\`])`,
  },
  {
    name: 'any() of a jagged array of keys',
    state: '22P02',
    code: `db.selectFrom('t').select('id').where((eb) => eb('k', '=', eb.fn.any(eb.val([[1, 2], [3]]))))`,
  },
  {
    name: 'text that looks like a grouped expression and binds otherwise, 1',
    state: '42803',
    code: `db.selectFrom('t').select([sql\`2 * g % 2 + 1\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g % 2\`)`,
  },
  {
    name: 'text that looks like a grouped expression and binds otherwise, 2',
    state: '42803',
    code: `db.selectFrom('t').select([sql\`v + g + 1\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g + 1\`)`,
  },
  {
    name: 'text that looks like a grouped expression and binds otherwise, 3',
    state: '42803',
    code: `db.selectFrom('t').select([sql\`-g % 2\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g % 2\`)`,
  },
  {
    name: 'text that looks like a grouped expression and binds otherwise, 4',
    state: '42803',
    code: `db.selectFrom('t').select((eb) => [eb(eb.lit(3), '*', eb(eb('g', '%', eb.lit(2)), '+', eb.lit(1))).as('a'), eb.fn.countAll().as('n')]).groupBy((eb) => eb('g', '%', eb.lit(2)))`,
  },
  {
    name: 'text that looks like a grouped expression and binds otherwise, 5',
    state: '42803',
    code: `db.selectFrom('t').select((eb) => [eb(eb.lit(3), '-', eb('g', '+', eb.lit(2))).as('a'), eb.fn.countAll().as('n')]).groupBy((eb) => eb('g', '+', eb.lit(2)))`,
  },
  {
    name: 'text that looks like a grouped expression and binds otherwise, 6',
    state: '42803',
    code: `db.selectFrom('t').select((eb) => [eb.neg(eb('g', '%', eb.lit(2))).as('a'), eb.fn.countAll().as('n')]).groupBy((eb) => eb('g', '%', eb.lit(2)))`,
  },
]
