import { quoted } from '../code.ts'
import type { Kind, Open } from '../world/columns.ts'
import { condition } from './conditions.ts'
import { column, inText, numericKinds, orderable } from './expressions.ts'
import { type Scope, spelling } from './scope.ts'

export interface Aggregate {
  readonly code: string
  readonly tag: string
  readonly kind: Kind
  /** May come before NULL-free comparison in ORDER BY or HAVING with a number. */
  readonly number: boolean
  readonly open?: Open | undefined
}

/** `eb.fn...`: one aggregate call, with FILTER and DISTINCT at times. */
export function aggregate(scope: Scope, plainOnly = false): Aggregate {
  const { random } = scope
  const make = random.weighted([
    [3, counts, 'count', 'count distinct'],
    [3, sums, 'sum', 'sum distinct'],
    [2, averages, 'avg'],
    [3, extremes, 'min/max'],
    ...(plainOnly
      ? []
      : ([
          [4, lists, 'array_agg', 'string_agg', 'jsonb_agg', 'json_agg'],
          [2, booleans, 'bool'],
          [1, bits, 'bit'],
          [2, statistics, 'statistics'],
          [2, ordered, 'ordered-set'],
          [1, raw, 'raw aggregate'],
        ] as const)),
  ] as const)
  const made = make(scope) ?? counts(scope)
  if (made.tag === 'raw aggregate' || !random.chance(0.15, 'filter')) return made
  return { ...made, code: `${made.code}.filterWhere((eb) => ${condition(scope, { simple: true })})` }
}

function counts(scope: Scope): Aggregate {
  const { random } = scope
  const source = column(scope)
  if (!source?.ref || (random.chance(0.4) && !random.wishes(['count distinct'])))
    return { code: 'eb.fn.countAll()', tag: 'count', kind: 'big', number: true }
  const ref = quoted(source.ref)
  if (source.kind !== 'json' && random.chance(0.4, 'count distinct')) {
    return { code: `eb.fn.count(${ref}).distinct()`, tag: 'count distinct', kind: 'big', number: true }
  }
  return { code: `eb.fn.count(${ref})`, tag: 'count', kind: 'big', number: true }
}

function sums(scope: Scope): Aggregate | undefined {
  const source = column(scope, [...numericKinds, 'float', 'real', 'interval'])
  if (!source?.ref) return undefined
  const ref = quoted(source.ref)
  const inexact = source.kind === 'float' || source.kind === 'real'
  const whole = ['int', 'id', 'small'].includes(source.kind)
  const kind = inexact || source.kind === 'interval' ? source.kind : whole ? 'big' : 'num'
  const distinct = scope.random.chance(0.25, 'sum distinct')
  const computed = source.kind !== 'interval' && scope.random.chance(0.2)
  return {
    code: `eb.fn.sum(${computed ? `eb(${ref}, '*', eb.lit(2))` : ref})${distinct ? '.distinct()' : ''}`,
    tag: distinct ? 'sum distinct' : 'sum',
    kind,
    number: !inexact && source.kind !== 'interval',
    open: inexact
      ? source.kind === 'real' && !computed
        ? 'single'
        : 'float'
      : distinct
        ? spelling(source.kind)
        : undefined,
  }
}

function averages(scope: Scope): Aggregate | undefined {
  const source = column(scope, [...numericKinds, 'float', 'real'])
  if (!source?.ref) return undefined
  const distinct = scope.random.chance(0.15)
  const inexact = source.kind === 'float' || source.kind === 'real'
  return {
    code: `eb.fn.avg(${quoted(source.ref)})${distinct ? '.distinct()' : ''}`,
    tag: 'avg',
    kind: inexact ? 'float' : 'num',
    number: !inexact,
    open: inexact ? 'float' : distinct ? spelling(source.kind) : undefined,
  }
}

function extremes(scope: Scope): Aggregate | undefined {
  const kinds = orderable.filter((kind) => kind !== 'bool' && kind !== 'key' && kind !== 'bytes')
  const source = column(scope, kinds)
  if (!source?.ref) return undefined
  const func = scope.random.pick(['min', 'max'])
  return {
    code: `eb.fn.${func}(${quoted(source.ref)})`,
    tag: 'min/max',
    kind: source.kind,
    number: numericKinds.includes(source.kind),
    open: spelling(source.kind),
  }
}

/** Lists carry their own total order: the first relation's id. */
function lists(scope: Scope): Aggregate | undefined {
  const { random } = scope
  const source = column(scope, ['int', 'text', 'ctext', 'num', 'ts', 'date', 'enum', 'big', 'en', 'ci', 'small'])
  const ids = scope.relations.filter(({ unique }) => unique.length > 0)
  if (!source?.ref || ids.length !== scope.relations.length) return undefined
  const ref = quoted(source.ref)
  const order = ids
    .flatMap(({ alias, unique }) => unique.map((name) => `.orderBy(${quoted(`${alias}.${name}`)})`))
    .join('')
  const direction = random.pick(["'asc'", "'desc'", '(ob) => ob.desc().nullsLast()', '(ob) => ob.asc().nullsFirst()'])
  const sorted = random.chance(0.6) ? `.orderBy(${ref}, ${direction})${order}` : order
  const jsonWished = random.wishes(['jsonb_agg', 'json_agg'])
  const distinct = !jsonWished && random.chance(0.25)
  const tail = distinct ? `.distinct().orderBy(${ref})` : sorted
  const text = ['text', 'ctext', 'en'].includes(source.kind) && !jsonWished
  if (text && random.chance(0.5, 'string_agg')) {
    // The arguments of a DISTINCT string_agg and its ORDER BY must be the same expression.
    return {
      code: `eb.fn.agg('string_agg', [${ref}, sql.lit(',')])${tail}`,
      tag: 'string_agg',
      kind: 'text',
      number: false,
    }
  }
  const func = random.weighted<string>([
    [1, 'array_agg', 'array_agg'],
    [distinct ? 0 : 1, 'jsonb_agg', 'jsonb_agg'],
    [distinct ? 0 : 1, 'json_agg', 'json_agg'],
  ])
  return {
    code: `eb.fn.agg('${func}', [${ref}])${tail}`,
    tag: func,
    kind: 'json',
    number: false,
    open: distinct ? spelling(source.kind) : undefined,
  }
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
  return { code: `eb.fn.agg('${func}', [${quoted(source.ref)}])`, tag: 'bit', kind: source.kind, number: true }
}

function statistics(scope: Scope): Aggregate | undefined {
  const single = column(scope, ['int', 'money', 'num', 'small'])
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
    kind: func === 'regr_count' ? 'big' : 'float',
    number: false,
    open: two && func !== 'regr_count' ? 'float' : undefined,
  }
}

function ordered(scope: Scope): Aggregate | undefined {
  const { random } = scope
  const func = random.pick(['percentile_cont', 'percentile_disc', 'mode'])
  const source = column(
    scope,
    func === 'percentile_cont' ? ['int', 'float'] : ['int', 'text', 'num', 'date', 'ctext', 'en', 'ci', 'interval'],
  )
  if (!source?.ref) return undefined
  const call = func === 'mode' ? '[]' : `[eb.lit(${random.pick([0, 0.25, 0.5, 0.9, 1])})]`
  const direction = random.chance(0.3) ? ", 'desc'" : ''
  return {
    code: `eb.fn.agg('${func}', ${call}).withinGroupOrderBy(${quoted(source.ref)}${direction})`,
    tag: 'ordered-set',
    kind: func === 'percentile_cont' ? 'float' : source.kind,
    number: false,
    open: func === 'percentile_cont' ? undefined : spelling(source.kind),
  }
}

function raw(scope: Scope): Aggregate | undefined {
  const source = column(scope, ['int'])
  if (!source?.ref) return undefined
  const text = inText(source.ref)
  const code = scope.random.pick([
    `sql\`sum(\${sql.ref(${quoted(source.ref)})})\``,
    'sql`count(*)`',
    `sql\`max(${text}) - min(${text})\``,
    `sql\`sum(${text}) filter (where ${text} > 1)\``,
  ])
  return { code, tag: 'raw aggregate', kind: 'big', number: true }
}

/** An expression over aggregates. */
export function overAggregates(scope: Scope): Aggregate {
  const { random } = scope
  const one = aggregate(scope, true)
  const source = column(scope, ['int', 'money', 'num'])
  if (!source?.ref) return one
  const ref = quoted(source.ref)
  const sum = source.kind === 'int' ? 'big' : 'num'
  return random.pick<Aggregate>([
    { code: `eb.fn.coalesce(eb.fn.sum(${ref}), eb.lit(0))`, tag: 'over aggregates', kind: sum, number: true },
    { code: `eb(eb.fn.sum(${ref}), '+', eb.fn.count(${ref}))`, tag: 'over aggregates', kind: sum, number: true },
    { code: `eb.fn('round', [eb.fn.avg(${ref}), eb.lit(2)])`, tag: 'over aggregates', kind: 'num', number: true },
    {
      code: `eb.case().when(eb.fn.countAll(), '>', 3).then(eb.fn.max(${ref})).else(eb.fn.min(${ref})).end()`,
      tag: 'over aggregates',
      kind: source.kind,
      number: true,
      open: spelling(source.kind),
    },
    {
      code: `eb(eb.fn.max(${ref}), '-', eb.fn.min(${ref}))`,
      tag: 'over aggregates',
      kind: source.kind,
      number: true,
      open: spelling(source.kind),
    },
    { code: `eb.cast(eb.fn.avg(${ref}), 'text')`, tag: 'over aggregates', kind: 'text', number: false },
  ])
}
