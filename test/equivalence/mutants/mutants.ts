import type { Plugin } from '../generate/case.ts'

/** A mistake that a planner or a merge could have: one text of the router's sources, replaced by another. */
export interface Mutant {
  readonly name: string
  /** Must occur exactly once in all of packages/shard-router/src; spaces and line breaks are alike. */
  readonly find: string
  readonly replace: string
  /** Clauses of the cases that can show it; any case when left out. */
  readonly focus?: readonly string[]
  /** What else makes the generator write such cases more often. */
  readonly wish?: readonly string[]
  /** The plugin of the cases that can show it. */
  readonly plugin?: Plugin
  /** The text of the cases that can show it. */
  readonly shows?: RegExp
}

export const mutants: readonly Mutant[] = [
  {
    name: 'a parameter known by a node that stands in two places',
    find: 'asWritten.shared || asWritten.nestedRaw',
    replace: 'false',
    plugin: 'other values',
  },
  {
    name: 'a clock added to the values of the first call',
    find: "sourceNode(first === undefined ? { from: 'constant', value } : { from: 'parameter', index: first + offset })",
    replace: "sourceNode({ from: 'constant', value })",
    focus: ['values'],
    plugin: 'other values',
    shows: /insertInto\('c'\)/,
  },
  {
    name: 'defaults that ask the clock of each shard',
    find: "return boundDefault(defaultSql) === undefined ? 'shared' : 'clock'",
    replace: "return 'alike'",
    shows: /Into\('c/,
  },
  {
    name: 'DEFAULT taken for a value',
    find: "if (bare.kind === 'DefaultInsertValueNode') return true",
    replace: 'return false',
    focus: ['values'],
    shows: /insertInto\('c'\)/,
  },
  {
    name: 'the defaults of a reference table computed by each copy',
    find: 'found !== undefined && isConstant(found.column)',
    replace: 'true',
    focus: ['values'],
    shows: /insertInto\('q'\)/,
  },
  {
    name: 'an identity column numbered by each shard',
    find: "if (identity !== undefined) return 'shared'",
    replace: '',
    focus: ['values'],
    shows: /insertInto\('e'\)/,
  },
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
    focus: ['count', 'group by'],
  },
  {
    name: 'DISTINCT aggregates added up',
    find: 'return distinct && !indifferentToRepeats.has(name) ? undefined : found',
    replace: 'return found',
    focus: ['count distinct'],
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
    focus: ['subquery in where'],
  },
  {
    name: 'correlated subquery per shard',
    find: "? 'refused' : 'first'",
    replace: "? 'stays' : 'first'",
    focus: ['exists'],
    shows: /whereRef\('\w+\.g'/,
  },
  {
    name: 'window functions per shard',
    find: '&& !windowsCarryKey(node, block, analyzer)) return false',
    replace: '&& false) return false',
    focus: ['window'],
  },
  {
    name: 'set operations per shard',
    find: "return !node.orderBy && locality.spreadOf(node) === 'sharded'",
    replace: "return locality.spreadOf(node) !== 'everywhere'",
  },
  {
    name: 'LIMIT taken for unordered parts of a subquery',
    find: 'if (node.limit || node.offset || node.fetch) return false const arms',
    replace: 'const arms',
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
    find: 'rowCount: results.reduce((sum, result) => sum + result.rowCount, 0),',
    replace: 'rowCount: first.rowCount,',
  },
  {
    name: 'a reference table written on one copy',
    find: '.filter((index) => index !== lead)',
    replace: '.filter((index) => index !== lead && index < 1)',
  },
  {
    name: 'the nested arms of a set operation taken for what the tree says',
    find: 'traits.setOperations ? flattenArms(opened) : opened',
    replace: 'opened',
    focus: ['except'],
  },
  {
    name: 'limit and offset swapped',
    find: 'rows: rows.slice(window.offset, window.offset + window.limit)',
    replace: 'rows: rows.slice(window.limit, window.offset + window.limit)',
    focus: ['group by', 'limit', 'order by'],
  },
  {
    name: 'OFFSET on each shard',
    find: "...without(node, 'limit', 'offset', 'fetch'),",
    replace: "...without(node, 'limit', 'fetch'),",
    focus: ['offset', 'order by'],
  },
  {
    name: 'grouping sets on each shard, their rows added up',
    find: 'if (!isGroupingSet(item)) return undefined',
    replace: 'return undefined',
    focus: ['grouping sets'],
  },
  {
    name: 'NULL groups left apart',
    find: 'JSON.stringify(groups.map((position) => row[position]))',
    replace: 'JSON.stringify(groups.map((position) => row[position] ?? Math.random()))',
    focus: ['group by'],
  },
  {
    name: 'NULL sums count as zero',
    find: 'if (!this.#total) return null',
    replace: "if (!this.#total) return '0'",
    focus: ['sum'],
  },
  {
    name: 'averages of whole numbers rounded down',
    find: 'const rounded = (tenths + 5n) / 10n',
    replace: 'const rounded = tenths / 10n',
    focus: ['avg'],
  },
  {
    name: 'UNION removes repeated rows per shard only',
    find: "operation.operator === 'union' && operation.all)) return true",
    replace: "operation.operator === 'union')) return true",
    focus: ['union'],
  },
  {
    name: 'INTERSECT and EXCEPT of rows without the key per shard',
    find: "return exports.some((own) => own !== undefined && own.family !== '' && !own.nullable)",
    replace: 'return exports.length > 0',
    focus: ['intersect'],
  },
  {
    name: 'NOT IN keys taken for IN',
    find: "case 'in': return isIn(left, right, context)",
    replace: "case 'not in': case 'in': return isIn(left, right, context)",
    focus: ['where key'],
  },
  {
    name: 'a key under NOT',
    find: "case 'ParensNode': return keyConstraint((node as ParensNode).node, context)",
    replace:
      "case 'UnaryOperationNode': return keyConstraint((node as unknown as { operand: OperationNode }).operand, context)\n    case 'ParensNode': return keyConstraint((node as ParensNode).node, context)",
    focus: ['where key'],
  },
  {
    name: 'DISTINCT ON per shard',
    find: 'if (node.distinctOn && !node.distinctOn.some((item) => isKey(item, block, analyzer))) return false',
    replace: '',
    focus: ['distinct on'],
  },
  {
    name: 'groups by an expression of the key taken for complete',
    find: 'if (!node.groupBy.items.some((item) => isKey(item.groupBy, block, analyzer))) return false',
    replace: '',
    focus: ['group by'],
  },
  {
    name: 'the types of gathered rows asked of another shard',
    find: 'await travelling(fields, rows, shard, origin, context)]',
    replace: 'await travelling(fields, rows, (shard + 1) % context.state.topology.shards.length, undefined, context)]',
    focus: ['subquery in where'],
  },
  {
    name: 'a part forgets the CTEs that it reads',
    find: 'allExpressions(root).filter((expression) => used.has(expression.expression))',
    replace: 'allExpressions(root).filter((expression) => !used.has(expression.expression)).slice(0, used.size)',
    focus: ['cte'],
  },
  {
    name: 'the first row of each part lost',
    find: 'return { fields, rows: parts.flatMap((part) => part.rows), shard, origin: partial }',
    replace: 'return { fields, rows: parts.flatMap((part) => part.rows.slice(1)), shard, origin: partial }',
  },
  {
    name: 'timestamps compared to the second',
    find: 'haveSameOffset(a, b) ? text(a, b)',
    replace: 'haveSameOffset(a, b) ? text(a.slice(0, 19), b.slice(0, 19))',
    focus: ['order by'],
  },
  {
    name: 'joins without the key run per shard',
    find: 'if (!loose) return undefined',
    replace: 'if (!loose || loose) return undefined',
    focus: ['innerJoin'],
    wish: ['join off the key'],
    shows: /innerJoin\('[tuxp] as a\d+', \(join\) => join\.onRef\('a\d+\.g'/,
  },
  {
    name: 'the nullable side of an outer join taken for a key',
    find: '!own.nullable && isPresent(term)',
    replace: 'true',
    focus: ['leftJoin', 'group by'],
    wish: ['group by key'],
    shows: /leftJoin\('\w+ as (a\d+)'[\s\S]*groupBy\([^\n]*'\1\.(?:k|owner)'/,
  },
  {
    name: 'the scale of a sum of numerics lost',
    find: 'return { digits: rescale(a, scale) + rescale(b, scale), scale, special: undefined }',
    replace: `const digits = rescale(a, scale) + rescale(b, scale)
  const zero = digits % 10n === 0n && scale > 0
  return { digits: zero ? digits / 10n : digits, scale: zero ? scale - 1 : scale, special: undefined }`,
    focus: ['sum', 'group by'],
    shows: /\.(?:g|v|d|ok|b|s|tid)'[^\n]*groupBy[\s\S]*fn\.sum\('a\d+\.[mn]'\)\.as/,
  },
  {
    name: 'rows of a MERGE inserted on each shard, whatever their key',
    find: 'if (insertsOwnKeys(node, table, block, locality)) return',
    replace: 'return',
    focus: ['merge', 'when not matched'],
    shows: /using\('r as b'[\s\S]*thenInsertValues/,
  },
  {
    name: 'rows of equal keys out of order',
    find: 'if (order !== 0) return order * sign',
    replace: 'return order * sign',
    focus: ['order by'],
    wish: ['order by hidden'],
    shows:
      /(?:\.ref\('a\d+\.n'\)\.as\('(\w+)'\)[\s\S]*\.orderBy\('\1'|\.orderBy\(\(eb\) => eb\.ref\('a\d+\.n'\))[\s\S]*\.orderBy\('/,
  },
  {
    name: 'big integers compared as floats',
    find: 'const difference = BigInt(a) - BigInt(b)',
    replace: 'const difference = BigInt(Math.trunc(Number(a) - Number(b)))',
    focus: ['order by'],
    wish: ['order by hidden'],
    shows: /\.ref\('a\d+\.b'\)\.as\('(\w+)'\)[\s\S]*\.orderBy\('\1'|\.orderBy\(\(eb\) => eb\.ref\('a\d+\.b'\)/,
  },
]
