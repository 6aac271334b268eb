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
