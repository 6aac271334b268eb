import type { Shape } from './shape.ts'

/** Queries inside of queries. */
export const subqueries: readonly Shape[] = [
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
    name: 'limit sub',
    ordered: true,
    code: `db.selectFrom('t').select('id').orderBy('id').limit((eb) => eb.selectFrom('r').select(eb.fn.count('id').as('c')))`,
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
    name: 'derived const',
    ordered: false,
    code: `db.selectFrom((eb) => eb.selectFrom('t').select((e) => [e.val('7').as('c'), e.fn.countAll().as('n')]).as('d')).select('d.c').where('d.n', '>', 1)`,
  },
  {
    name: 'srf agg',
    ordered: false,
    code: `db.selectFrom((eb) => eb.selectFrom('t').select((e) => e.fn('unnest', ['arr']).as('x')).as('d')).select((eb) => ['d.x', eb.fn.countAll().as('n')]).groupBy('d.x')`,
  },
  {
    name: 'lat agg',
    ordered: false,
    code: `db.selectFrom('t').innerJoinLateral((eb) => eb.selectFrom('u').select((e) => e.fn.sum('u.v').as('s')).whereRef('u.k', '=', 't.k').as('l'), (j) => j.onTrue()).select(['t.id', 'l.s'])`,
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
    name: 'HAVING of nothing but a subquery',
    ordered: false,
    code: `db.selectFrom('t').select(sql\`1\`.as('one')).having((eb) => eb.exists(eb.selectFrom('u').select('u.id')))`,
  },
  {
    name: 'ARRAY of a subquery',
    ordered: false,
    code: `db.selectFrom('r').select((eb) => ['id', eb.fn('array', [eb.selectFrom('t').select('t.id').whereRef('t.g', '=', 'r.g').orderBy('t.id')]).as('ids')])`,
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
    name: 'EXISTS whose select list would fail',
    ordered: false,
    code: `db.selectFrom('r').select('r.id').where((eb) => eb.exists(eb.selectFrom('t').select([sql\`1 / (t.id - t.id)\`.as('q'), eb.selectFrom('u').select('u.id').as('more')]).where('t.id', '>', 3)))`,
  },
  {
    name: 'NOT EXISTS whose select list would fail, beside one in it',
    ordered: false,
    code: `db.selectFrom('t').select('t.id').where((eb) => eb.not(eb.exists(eb.selectFrom('u').select((q) => q.exists(q.selectFrom('t as b').select(sql\`1 / (b.id - b.id)\`.as('q'))).as('e')).select(sql\`1 / (u.id - u.id)\`.as('p')).where('u.id', '<', 0))))`,
  },
]
