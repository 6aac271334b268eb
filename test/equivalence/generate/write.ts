import type { Query } from '../code.ts'
import { clausesIn } from './clauses.ts'
import { remove } from './delete.ts'
import type { Outer } from './from.ts'
import { insertRows } from './insert.ts'
import { insertSelect } from './insert-select.ts'
import { merge } from './merge.ts'
import { update } from './update.ts'
import { nestedClauses } from './write-clauses.ts'

/** INSERT, UPDATE, DELETE and MERGE of every kind of table. */
export function write(outer: Outer): Query {
  // VALUES holds no query.
  const plain = outer.random.wishes(nestedClauses) ? 0 : 4
  const make = outer.random.weighted<(outer: Outer) => Query>([
    [plain, insertRows, 'values', 'on conflict'],
    [1.8, insertSelect, 'insert select', ...(plain > 0 ? [] : ['on conflict']), ...clausesIn('tails')],
    [3.5, update, 'set', 'update from'],
    [2.5, remove, 'delete', 'delete using'],
    [1.7, merge, 'merge', ...clausesIn('whens')],
  ])
  return make(outer)
}
