/** A mistake that a planner or a merge could have: one text of the router's sources, replaced by another. */
export interface Mutant {
  readonly name: string
  /** Must occur exactly once in all of packages/shard-router/src; spaces and line breaks are alike. */
  readonly find: string
  readonly replace: string
  /** Clauses of the cases that can show it; any case when left out. */
  readonly focus?: readonly string[]
}

export const mutants: readonly Mutant[] = [
  {
    name: 'LIMIT pushed under GROUP BY',
    find: 'selections: this.#partials.selections(),',
    replace: 'selections: this.#partials.selections(), ...(this.#node.limit ? { limit: this.#node.limit } : {}),',
    focus: ['group by', 'limit', 'order by'],
  },
  {
    name: 'AVG of AVGs',
    find: "const sum = add(withFunction(call, 'sum'))",
    replace: "const sum = add(withFunction(call, 'avg'))",
    focus: ['avg'],
  },
  {
    name: 'key taken from under OR',
    find: 'uniteKeys([keyConstraint(left, context), keyConstraint(right, context)])',
    replace: 'intersectKeys([keyConstraint(left, context), keyConstraint(right, context)])',
    focus: ['where key'],
  },
  {
    name: '<> read as =',
    find: "case 'is not distinct from':",
    replace: "case '<>':",
    focus: ['where key'],
  },
  {
    name: 'text merged by bytes',
    find: '[oids.bool, text],',
    replace: '[oids.bool, text], [25, text],',
    focus: ['order by'],
  },
  {
    name: 'NULLs at the wrong end',
    find: "nulls ? nulls === 'first' : descending",
    replace: "nulls ? nulls === 'first' : !descending",
    focus: ['order by', 'limit'],
  },
  {
    name: 'HAVING pushed to the shards',
    find: 'selections: this.#partials.selections(),',
    replace: 'selections: this.#partials.selections(), ...(this.#node.having ? { having: this.#node.having } : {}),',
    focus: ['having'],
  },
  {
    name: 'DISTINCT per shard',
    find: '(isDistinct(node) || node.distinctOn !== undefined) &&',
    replace: 'false &&',
    focus: ['distinct'],
  },
  {
    name: 'LIMIT pushed without OFFSET',
    find: 'parts: [window.limit, ...offset]',
    replace: 'parts: [window.limit]',
    focus: ['limit', 'offset', 'order by'],
  },
  {
    name: 'min merged as max',
    find: "aggregate.merge === 'min' ? 1 : -1",
    replace: "aggregate.merge === 'max' ? 1 : -1",
    focus: ['min/max'],
  },
  {
    name: 'partial counts counted',
    find: 'BigInt(row[this.#position] ?? 0)',
    replace: '1n',
  },
  {
    name: 'DISTINCT aggregates added up',
    find: 'return distinct && !indifferentToRepeats.has(name) ? undefined : found',
    replace: 'return found',
    focus: ['count distinct'],
  },
  {
    name: 'joins without the key run per shard',
    find: 'if (!loose) return undefined',
    replace: 'if (!loose || loose) return undefined',
  },
  {
    name: 'outer join of a reference table per shard',
    find: 'return added && !accumulated',
    replace: 'return false',
    focus: ['leftJoin'],
  },
  {
    name: 'uncorrelated subquery per shard',
    find: "? 'refused' : 'first'",
    replace: "? 'refused' : 'stays'",
    focus: ['where'],
  },
  {
    name: 'correlated subquery per shard',
    find: "? 'refused' : 'first'",
    replace: "? 'stays' : 'first'",
    focus: ['where'],
  },
  {
    name: 'window functions per shard',
    find: '&& !windowsCarryKey(node, block, analyzer)) return false',
    replace: '&& false) return false',
    focus: ['window'],
  },
  {
    name: 'the nullable side of an outer join taken for a key',
    find: '!own.nullable && isPresent(term)',
    replace: 'true',
    focus: ['leftJoin', 'group by'],
  },
  {
    name: 'set operations per shard',
    find: "return !node.orderBy && locality.spreadOf(node) === 'sharded'",
    replace: "return locality.spreadOf(node) !== 'everywhere'",
  },
  {
    name: 'LIMIT taken for unordered parts of a subquery',
    find: "if (query.kind !== 'SelectQueryNode' || node.limit || node.offset || node.fetch) return false",
    replace: "if (query.kind !== 'SelectQueryNode') return false",
    focus: ['limit in subquery'],
  },
  {
    name: 'collation lost on the way',
    find: '!collation || collation === \'"default"\'',
    replace: 'true',
    focus: ['order by'],
  },
  {
    name: 'digits of an average lost',
    find: 'const minimumSignificantDigits = 16',
    replace: 'const minimumSignificantDigits = 15',
    focus: ['avg'],
  },
  {
    name: 'WITH TIES cut as LIMIT',
    find: 'return { fetch: { ...node.fetch, rowCount: sourceNode(count) } satisfies FetchNode }',
    replace: "return { fetch: { ...node.fetch, rowCount: sourceNode(count), modifier: 'only' } as FetchNode }",
    focus: ['fetch with ties'],
  },
  {
    name: 'RETURNING by shard instead of by input',
    find: 'if (!complete ||',
    replace: 'if (complete ||',
    focus: ['values', 'returning'],
  },
  {
    name: 'broadcast counts of one shard',
    find: 'sum + BigInt(result.rowCount)',
    replace: 'BigInt(result.rowCount)',
  },
  {
    name: 'a reference table written on one copy',
    find: '.filter((index) => index !== lead)',
    replace: '.filter((index) => index !== lead && index < 1)',
  },
]
