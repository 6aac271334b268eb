import type { Shape } from './shape.ts'

/** UNION, INTERSECT and EXCEPT. */
export const setOperations: readonly Shape[] = [
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
    name: 'except order',
    ordered: true,
    code: `db.selectFrom('t').select('name').except(db.selectFrom('u').select('name')).orderBy('name').limit(5)`,
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
]
