import { quoted } from '../code.ts'
import type { Kind } from '../world/columns.ts'
import { condition } from './conditions.ts'
import { column, numericKinds, orderable } from './expressions.ts'
import { oneSpelling, type Scope } from './scope.ts'

export interface Aggregate {
  readonly code: string
  readonly tag: string
  readonly kind: Kind
  /** May come before NULL-free comparison in ORDER BY or HAVING with a number. */
  readonly number: boolean
}

/** `eb.fn...`: one aggregate call, with FILTER and DISTINCT at times. */
export function aggregate(scope: Scope, plainOnly = false): Aggregate {
  const { random } = scope
  const make = random.weighted([
    [3, counts],
    [3, sums],
    [2, averages],
    [3, extremes],
    ...(plainOnly
      ? []
      : ([
          [4, lists],
          [2, booleans],
          [1, bits],
          [2, statistics],
          [2, ordered],
          [1, raw],
        ] as const)),
  ] as const)
  const made = make(scope) ?? counts(scope)
  if (made.tag === 'raw aggregate' || !random.chance(0.15)) return made
  return { ...made, code: `${made.code}.filterWhere((eb) => ${condition(scope, { simple: true })})`, tag: 'filter' }
}

function counts(scope: Scope): Aggregate {
  const { random } = scope
  const source = column(scope)
  if (!source?.ref || random.chance(0.4)) return { code: 'eb.fn.countAll()', tag: 'count', kind: 'big', number: true }
  const ref = quoted(source.ref)
  if (source.kind !== 'json' && random.chance(0.4)) {
    return { code: `eb.fn.count(${ref}).distinct()`, tag: 'count distinct', kind: 'big', number: true }
  }
  return { code: `eb.fn.count(${ref})`, tag: 'count', kind: 'big', number: true }
}

function sums(scope: Scope): Aggregate | undefined {
  const source = column(scope, [...numericKinds, 'float'])
  if (!source?.ref) return undefined
  const ref = quoted(source.ref)
  const kind = source.kind === 'float' ? 'float' : source.kind === 'int' || source.kind === 'id' ? 'big' : 'num'
  const distinct = scope.random.chance(0.25)
  const computed = scope.random.chance(0.2)
  return {
    code: `eb.fn.sum(${computed ? `eb(${ref}, '*', eb.lit(2))` : ref})${distinct ? '.distinct()' : ''}`,
    tag: distinct ? 'sum distinct' : 'sum',
    kind,
    number: source.kind !== 'float',
  }
}

function averages(scope: Scope): Aggregate | undefined {
  const source = column(scope, [...numericKinds, 'float'])
  if (!source?.ref) return undefined
  const distinct = scope.random.chance(0.15)
  return {
    code: `eb.fn.avg(${quoted(source.ref)})${distinct ? '.distinct()' : ''}`,
    tag: 'avg',
    kind: source.kind === 'float' ? 'float' : 'num',
    number: source.kind !== 'float',
  }
}

function extremes(scope: Scope): Aggregate | undefined {
  const kinds = orderable.filter((kind) => kind !== 'bool' && kind !== 'key' && kind !== 'bytes')
  const source = column(scope, oneSpelling(scope, kinds))
  if (!source?.ref) return undefined
  const func = scope.random.pick(['min', 'max'])
  return {
    code: `eb.fn.${func}(${quoted(source.ref)})`,
    tag: 'min/max',
    kind: source.kind,
    number: numericKinds.includes(source.kind),
  }
}

/** Lists carry their own total order: the first relation's id. */
function lists(scope: Scope): Aggregate | undefined {
  const { random } = scope
  const source = column(scope, ['int', 'text', 'ctext', 'num', 'ts', 'date', 'enum', 'big'])
  const ids = scope.relations.filter(({ unique }) => unique.length > 0)
  if (!source?.ref || ids.length !== scope.relations.length) return undefined
  const ref = quoted(source.ref)
  const order = ids
    .flatMap(({ alias, unique }) => unique.map((name) => `.orderBy(${quoted(`${alias}.${name}`)})`))
    .join('')
  const direction = random.pick(["'asc'", "'desc'", '(ob) => ob.desc().nullsLast()', '(ob) => ob.asc().nullsFirst()'])
  const sorted = random.chance(0.6) ? `.orderBy(${ref}, ${direction})${order}` : order
  const distinct = random.chance(0.25)
  const tail = distinct ? `.distinct().orderBy(${ref})` : sorted
  const text = source.kind === 'text' || source.kind === 'ctext'
  if (text && random.chance(0.5)) {
    // The arguments of a DISTINCT string_agg and its ORDER BY must be the same expression.
    return {
      code: `eb.fn.agg('string_agg', [${ref}, sql.lit(',')])${tail}`,
      tag: 'string_agg',
      kind: 'text',
      number: false,
    }
  }
  const func = random.pick(distinct ? ['array_agg'] : ['array_agg', 'jsonb_agg', 'json_agg'])
  return { code: `eb.fn.agg('${func}', [${ref}])${tail}`, tag: func, kind: 'json', number: false }
}

function booleans(scope: Scope): Aggregate | undefined {
  const source = column(scope, ['bool'])
  if (!source?.ref) return undefined
  const func = scope.random.pick(['bool_and', 'bool_or', 'every'])
  return { code: `eb.fn.agg('${func}', [${quoted(source.ref)}])`, tag: 'bool', kind: 'bool', number: false }
}

function bits(scope: Scope): Aggregate | undefined {
  const source = column(scope, ['int', 'big'])
  if (!source?.ref) return undefined
  const func = scope.random.pick(['bit_and', 'bit_or', 'bit_xor'])
  return { code: `eb.fn.agg('${func}', [${quoted(source.ref)}])`, tag: 'bit', kind: 'int', number: true }
}

function statistics(scope: Scope): Aggregate | undefined {
  const single = column(scope, ['int', 'money', 'num'])
  // Of two columns, whole numbers: with others the rounding of nearly equal values is all that is left.
  const pair = [column(scope, ['int']), column(scope, ['int'])]
  if (!single?.ref) return undefined
  const func = scope.random.pick([
    'stddev',
    'stddev_pop',
    'stddev_samp',
    'variance',
    'var_pop',
    'corr',
    'regr_count',
    'covar_pop',
  ])
  const two = ['corr', 'regr_count', 'covar_pop'].includes(func)
  if (two && pair.some((own) => own === undefined)) return undefined
  const refs = two ? pair.map((own) => `eb.cast(${quoted(own?.ref ?? '')}, 'float8')`) : [quoted(single.ref)]
  return {
    code: `eb.fn.agg('${func}', [${refs.join(', ')}])`,
    tag: 'statistics',
    kind: 'float',
    number: false,
  }
}

function ordered(scope: Scope): Aggregate | undefined {
  const { random } = scope
  const func = random.pick(['percentile_cont', 'percentile_disc', 'mode'])
  const source = column(
    scope,
    oneSpelling(scope, func === 'percentile_cont' ? ['int', 'float'] : ['int', 'text', 'num', 'date', 'ctext']),
  )
  if (!source?.ref) return undefined
  const call = func === 'mode' ? '[]' : `[eb.lit(${random.pick([0, 0.25, 0.5, 0.9, 1])})]`
  const direction = random.chance(0.3) ? ", 'desc'" : ''
  return {
    code: `eb.fn.agg('${func}', ${call}).withinGroupOrderBy(${quoted(source.ref)}${direction})`,
    tag: 'ordered-set',
    kind: func === 'percentile_cont' ? 'float' : source.kind,
    number: false,
  }
}

function raw(scope: Scope): Aggregate | undefined {
  const source = column(scope, ['int'])
  if (!source?.ref) return undefined
  const code = scope.random.pick([
    `sql\`sum(\${sql.ref(${quoted(source.ref)})})\``,
    'sql`count(*)`',
    `sql\`max(${source.ref}) - min(${source.ref})\``,
    `sql\`sum(${source.ref}) filter (where ${source.ref} > 1)\``,
  ])
  return { code, tag: 'raw aggregate', kind: 'big', number: true }
}

/** An expression over aggregates. */
export function overAggregates(scope: Scope): Aggregate {
  const { random } = scope
  const one = aggregate(scope, true)
  const source = column(scope, oneSpelling(scope, ['int', 'money', 'num']))
  if (!source?.ref) return one
  const ref = quoted(source.ref)
  return random.pick<Aggregate>([
    { code: `eb.fn.coalesce(eb.fn.sum(${ref}), eb.lit(0))`, tag: 'over aggregates', kind: 'num', number: true },
    { code: `eb(eb.fn.sum(${ref}), '+', eb.fn.count(${ref}))`, tag: 'over aggregates', kind: 'num', number: true },
    { code: `eb.fn('round', [eb.fn.avg(${ref}), eb.lit(2)])`, tag: 'over aggregates', kind: 'num', number: true },
    {
      code: `eb.case().when(eb.fn.countAll(), '>', 3).then(eb.fn.max(${ref})).else(eb.fn.min(${ref})).end()`,
      tag: 'over aggregates',
      kind: 'num',
      number: true,
    },
    { code: `eb(eb.fn.max(${ref}), '-', eb.fn.min(${ref}))`, tag: 'over aggregates', kind: 'num', number: true },
    { code: `eb.cast(eb.fn.avg(${ref}), 'text')`, tag: 'over aggregates', kind: 'text', number: false },
  ])
}
