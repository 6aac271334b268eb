import type { Shape } from './shape.ts'

/** INSERT, UPDATE, DELETE and MERGE. */
export const writes: readonly Shape[] = [
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
    name: 'a reference table written by what a CTE wrote and what other shards hold',
    ordered: false,
    code: `db.with('moved', (q) => q.updateTable('u').set({ g: 7 }).where('u.k', '=', 20).returning(['u.k', 'u.id', 'u.g'])).updateTable('r').set((eb) => ({ g: eb('g', '+', 1) })).where((eb) => eb.exists(eb.selectFrom('t').select('t.v'))).where('r.id', 'not in', (eb) => eb.selectFrom('moved').select('moved.g'))`,
  },
  {
    name: 'a CTE that nothing reads, in a write and over groups',
    ordered: false,
    code: `db.with('a', (q) => q.selectFrom('w').select((eb) => eb.fn.countAll().as('n'))).updateTable('t').set({ v: 1 }).where('g', '=', 2)`,
  },
]
