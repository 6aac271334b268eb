import type { Shape } from './shape.ts'

/** WITH. */
export const ctes: readonly Shape[] = [
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
    name: 'cte keyed',
    ordered: false,
    code: `db.with('c', (q) => q.selectFrom('t').selectAll()).selectFrom('c').innerJoin('u', 'u.k', 'c.k').select(['c.id', 'u.id as uid']).where('c.g', '=', 1)`,
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
    name: 'CTEs that nothing reads, of every kind of table',
    ordered: true,
    code: `db.with('a', (q) => q.selectFrom('t').selectAll()).with('b', (q) => q.selectFrom('o').selectAll()).with('c', (q) => q.selectFrom('a').innerJoin('b', 'b.g', 'a.g').select('a.id')).selectFrom('t').select('id').orderBy('id')`,
  },
  {
    name: 'a CTE that nothing reads, beside one that is read first',
    ordered: false,
    code: `db.with('a', (q) => q.selectFrom('w').select('id')).with('few', (q) => q.selectFrom('t').select('id').orderBy('id').limit(3)).selectFrom('u').innerJoin('few', 'few.id', 'u.id').select('u.id')`,
  },
]
