import { quoted } from '../code.ts'
import { type Kind, samples } from '../world/columns.ts'
import { column, constant, inText } from './expressions.ts'
import { columnsOf, inner, keyCode, type Relation, type Scope, tableRelation } from './scope.ts'

export interface ConditionOptions {
  /** No subqueries. */
  readonly simple?: boolean
}

const comparable: readonly Kind[] = [
  'int',
  'id',
  'big',
  'num',
  'money',
  'text',
  'ctext',
  'ci',
  'ts',
  'date',
  'bool',
  'enum',
  'float',
  'small',
  'real',
  'interval',
  'time',
  'char',
  'en',
]

/** A predicate as code of an expression, in a callback that has `eb`. */
export function condition(scope: Scope, options: ConditionOptions = {}): string {
  const { random } = scope
  const small = options.simple || scope.depth > 1
  return random.weighted<() => string>([
    [6, () => mild(scope)],
    [2, () => comparison(scope), 'is distinct from'],
    [1.5, () => keyCondition(scope)],
    [1.5, () => membership(scope)],
    [1, () => nullTest(scope)],
    [1, () => pattern(scope)],
    [1, () => combined(scope, 'or', options)],
    [0.7, () => combined(scope, 'and', options)],
    [0.7, () => `eb.not(${condition(scope, { simple: true })})`],
    [0.7, () => columnsCompared(scope)],
    [0.6, () => rawCondition(scope)],
    [0.5, () => arrayCondition(scope), 'any/all'],
    [0.4, () => tupleCondition(scope), 'tuple'],
    ...(small ? [] : ([[1.6, () => subqueryCondition(scope), 'exists', 'any/all', 'tuple']] as const)),
  ])()
}

/** Keeps most rows: many answers would be empty otherwise, and prove little. */
export function mild(scope: Scope): string {
  const source = column(scope, ['int', 'id', 'big', 'money', 'ts', 'date', 'text', 'small'])
  if (!source?.ref) return comparison(scope)
  const operator = source.kind === 'text' ? '<>' : scope.random.pick(['>', '<', '<>', '<=', '>='])
  return `eb.or([eb(${quoted(source.ref)}, ${quoted(operator)}, ${constant(source.kind, scope)}), eb(${quoted(source.ref)}, 'is', null)])`
}

function comparison(scope: Scope): string {
  const { random } = scope
  const source = column(scope, comparable)
  if (!source?.ref) return 'eb.lit(true)'
  const operator =
    source.kind === 'bool' && !random.wishes(['is distinct from'])
      ? '='
      : random.weighted<string>([
          ...['=', '<>', '<', '<=', '>', '>='].map((name) => [1, name] as const),
          [1, 'is distinct from', 'is distinct from'],
          [0.5, 'is not distinct from', 'is distinct from'],
        ])
  return `eb(${quoted(source.ref)}, ${quoted(operator)}, ${constant(source.kind, scope)})`
}

/** On the shard key, in one of the forms it can take. */
export function keyCondition(scope: Scope): string {
  const { random } = scope
  const owners = scope.relations.filter(({ keys }) => keys.length > 0)
  if (owners.length === 0) return comparison(scope)
  const owner = random.pick(owners)
  const ref = quoted(`${owner.alias}.${random.pick(owner.keys)}`)
  const one = keyCode(scope)
  const two = keyCode(scope)
  return random.pick([
    () => `eb(${ref}, '=', ${one})`,
    () => `eb(${ref}, '=', ${one})`,
    () => `eb(${ref}, 'in', [${one}, ${two}])`,
    () => `eb(${ref}, 'in', [${one}])`,
    () => `eb(eb.val(${one}), '=', eb.ref(${ref}))`,
    () => `eb(${ref}, '=', eb.fn.any(eb.val([${one}, ${two}])))`,
    () => `eb.or([eb(${ref}, '=', ${one}), eb(${ref}, '=', ${two})])`,
    () => `eb.or([eb(${ref}, '=', ${one}), eb.and([eb(${ref}, '=', ${two}), ${comparison(scope)}])])`,
    () => `eb.or([eb(${ref}, '=', ${one}), ${comparison(scope)}])`,
    () => `eb.not(eb(${ref}, '=', ${one}))`,
    () => `eb(${ref}, '<>', ${one})`,
    () => `eb(${ref}, '=', null)`,
    () => `eb(${ref}, 'is', null)`,
    () => `eb(${ref}, 'in', [${one}, null])`,
    () => `eb(${ref}, 'not in', [${one}, ${two}])`,
    () => `eb(${ref}, 'is not distinct from', ${one})`,
    () => `eb(${ref}, 'is not distinct from', null)`,
    () => `eb.or([eb(${ref}, 'is', null), eb(${ref}, '=', ${one})])`,
    () => `eb(eb.cast(${ref}, 'text'), '=', ${quoted(one.replaceAll(/^'|'$|\\/g, ''))})`,
    () => `eb(eb.refTuple(${ref}, ${ref}), 'in', [eb.tuple(${one}, ${one}), eb.tuple(${two}, ${one})])`,
    () => `sql\`\${sql.ref(${ref})} = \${sql.val(${one})}\``,
    () => `eb(${ref}, '=', sql\`\${sql.val(${one})}::${scope.world.keyType}\`)`,
    () => `eb(${ref}, '=', eb.cast(eb.val(${one}), '${castType(scope.world.keyType)}'))`,
  ])()
}

function castType(type: string): string {
  return type === 'int4' ? 'integer' : type === 'int8' ? 'bigint' : type === 'int2' ? 'smallint' : type
}

function membership(scope: Scope): string {
  const { random } = scope
  const source = column(scope, ['int', 'text', 'id', 'enum', 'ci', 'ctext', 'small', 'en', 'time'])
  if (!source?.ref) return comparison(scope)
  const values = Array.from({ length: random.between(1, 4) }, () => constant(source.kind, scope))
  if (random.chance(0.15)) values.push('null')
  return `eb(${quoted(source.ref)}, ${random.chance(0.7) ? "'in'" : "'not in'"}, [${values.join(', ')}])`
}

/** With arrays: a value among them, or one that holds others. */
function arrayCondition(scope: Scope): string {
  const { random } = scope
  const value = column(scope, ['int', 'id'])
  const array = column(scope, ['array'])
  if (!value?.ref) return comparison(scope)
  const ref = quoted(value.ref)
  const list = `[${Array.from({ length: random.between(0, 3) }, () => constant('int', scope)).join(', ')}]`
  return random.pick([
    `eb(${ref}, '=', eb.fn.any(eb.val(${list})))`,
    `eb(${ref}, '<>', eb.fn('all', [eb.val(${list})]))`,
    ...(array?.ref
      ? [`eb(${ref}, '=', eb.fn.any(${quoted(array.ref)}))`, `eb(${quoted(array.ref)}, '@>', eb.val([1]))`]
      : []),
  ])
}

/** Rows compared as a whole. */
function tupleCondition(scope: Scope): string {
  const refs = scope.random.some(columnsOf(scope, ['int', 'id', 'text', 'bool', 'date']), 2, 2)
  const [a, b] = refs
  if (!a || !b) return comparison(scope)
  const tuple = () => `eb.tuple(${constant(a.kind, scope)}, ${constant(b.kind, scope)})`
  return `eb(eb.refTuple(${quoted(a.ref)}, ${quoted(b.ref)}), 'in', [${tuple()}, ${tuple()}, ${tuple()}])`
}

function nullTest(scope: Scope): string {
  const source = column(scope)
  if (!source?.ref) return comparison(scope)
  return `eb(${quoted(source.ref)}, ${scope.random.chance(0.5) ? "'is'" : "'is not'"}, null)`
}

function pattern(scope: Scope): string {
  const source = column(scope, ['text', 'ctext'])
  if (!source?.ref) return comparison(scope)
  const word = scope.random.pick(samples.words)
  return `eb(${quoted(source.ref)}, ${scope.random.pick(["'like'", "'ilike'", "'not like'"])}, ${quoted(`${word.slice(0, 1)}%`)})`
}

function combined(scope: Scope, operator: 'and' | 'or', options: ConditionOptions): string {
  const parts = [condition(scope, { ...options, simple: true }), condition(scope, { ...options, simple: true })]
  return `eb.${operator}([${parts.join(', ')}])`
}

function columnsCompared(scope: Scope): string {
  const refs = columnsOf(scope, ['int', 'id'])
  if (refs.length < 2) return comparison(scope)
  const [a, b] = scope.random.some(refs, 2, 2)
  return `eb(${quoted(a?.ref ?? '')}, ${scope.random.pick(["'<'", "'>='", "'<>'"])}, eb.ref(${quoted(b?.ref ?? '')}))`
}

function rawCondition(scope: Scope): string {
  const source = column(scope, ['int'])
  if (!source?.ref) return comparison(scope)
  return scope.random.pick([
    `sql\`\${sql.ref(${quoted(source.ref)})} % 2 = 0\``,
    `sql\`(${inText(source.ref)} > 1 or ${inText(source.ref)} is null)\``,
    `sql\`${inText(source.ref)} between 0 and 5\``,
  ])
}

/** EXISTS, IN and scalar subqueries: tied to the key, over a reference table, or needing all shards first. */
function subqueryCondition(scope: Scope): string {
  const { random } = scope
  const alias = scope.names.next('s')
  const table = random.pick(['t', 'u', 'u', 'r', 'x', 'p'] as const)
  const own = tableRelation(table, alias)
  const inside = inner(scope, [own])
  const filter = random.chance(0.6) ? `.where((eb) => ${condition(inside, { simple: true })})` : ''
  const from = `eb.selectFrom('${table} as ${alias}')`
  const owners = scope.relations.filter(({ keys }) => keys.length > 0)
  const tie = tiedTo(owners, own, scope)
  const choices: (() => string)[] = [
    () => `eb(${refOf(scope, ['int'])}, ${random.pick(["'in'", "'not in'"])}, ${from}.select('${alias}.g')${filter})`,
    () =>
      `eb(${refOf(scope, ['int', 'id'])}, ${random.pick(["'>'", "'<='", "'='"])}, ${from}.select((eb) => eb.fn.${random.pick(['max', 'min', 'count'])}('${alias}.g').as('m'))${filter})`,
    () => `eb.exists(${from}.select('${alias}.id')${filter})`,
    () =>
      `eb(${refOf(scope, ['int', 'id'])}, ${random.pick(["'>='", "'='", "'<>'"])}, eb.fn('${random.pick(['any', 'all'])}', [${from}.select('${alias}.g')${filter}]))`,
  ]
  // Correlated by another column than the key: refused, unless the table is on every shard.
  const other = column(scope, ['int'])
  if (other?.ref && random.chance(table === 'r' ? 0.8 : 0.05)) {
    return `eb.exists(${from}.select('${alias}.id').whereRef('${alias}.g', '=', ${quoted(other.ref)})${filter})`
  }
  const outside = random.some(columnsOf(scope, ['int', 'id']), 2, 2)
  if (outside.length === 2) {
    const tuple = outside.map(({ ref }) => quoted(ref)).join(', ')
    choices.push(
      () =>
        `eb(eb.refTuple(${tuple}), 'in', ${from}.select(['${alias}.g', '${alias}.id'])${filter}.$asTuple('g', 'id'))`,
    )
  }
  if (tie) {
    choices.push(
      () => `eb.exists(${from}.select('${alias}.id')${tie}${filter})`,
      () => `eb.not(eb.exists(${from}.select('${alias}.id')${tie}${filter}))`,
      () =>
        `eb(${refOf(scope, ['int'])}, ${random.pick(["'in'", "'not in'"])}, ${from}.select('${alias}.g')${tie}${filter})`,
      () =>
        `eb(${refOf(scope, ['int', 'id'])}, '<=', ${from}.select((eb) => eb.fn.count('${alias}.id').as('m'))${tie}${filter})`,
      () =>
        `eb(${keyRef(owners, scope)}, ${random.pick(["'in'", "'not in'"])}, ${from}.select('${alias}.${own.keys[0]}')${filter})`,
    )
  }
  return random.pick(choices)()
}

function refOf(scope: Scope, kinds: readonly Kind[]): string {
  return quoted(column(scope, kinds)?.ref ?? columnsOf(scope)[0]?.ref ?? '')
}

function keyRef(owners: readonly Relation[], scope: Scope): string {
  const owner = scope.random.pick(owners)
  return quoted(`${owner.alias}.${owner.keys[0]}`)
}

/** `.whereRef(inner key = outer key)`, or nothing when one of the two has no key. */
export function tiedTo(owners: readonly Relation[], own: Relation, scope: Scope): string | undefined {
  if (owners.length === 0 || own.keys.length === 0) return undefined
  return `.whereRef(${quoted(`${own.alias}.${own.keys[0]}`)}, '=', ${keyRef(owners, scope)})`
}
