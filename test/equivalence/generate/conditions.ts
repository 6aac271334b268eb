import { quoted } from '../code.ts'
import { type Kind, samples } from '../world/columns.ts'
import { column, constant } from './expressions.ts'
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
]

/** A predicate as code of an expression, in a callback that has `eb`. */
export function condition(scope: Scope, options: ConditionOptions = {}): string {
  const { random } = scope
  const small = options.simple || scope.depth > 1
  return random.weighted<() => string>([
    [6, () => mild(scope)],
    [2, () => comparison(scope)],
    [1.5, () => keyCondition(scope)],
    [1.5, () => membership(scope)],
    [1, () => nullTest(scope)],
    [1, () => pattern(scope)],
    [1, () => combined(scope, 'or', options)],
    [0.7, () => combined(scope, 'and', options)],
    [0.7, () => `eb.not(${condition(scope, { simple: true })})`],
    [0.7, () => columnsCompared(scope)],
    [0.6, () => rawCondition(scope)],
    ...(small ? [] : ([[1.6, () => subqueryCondition(scope)]] as const)),
  ])()
}

/** Keeps most rows: many answers would be empty otherwise, and prove little. */
function mild(scope: Scope): string {
  const source = column(scope, ['int', 'id', 'big', 'money', 'ts', 'date', 'text'])
  if (!source?.ref) return comparison(scope)
  const operator = source.kind === 'text' ? '<>' : scope.random.pick(['>', '<', '<>', '<=', '>='])
  return `eb.or([eb(${quoted(source.ref)}, ${quoted(operator)}, ${constant(source.kind, scope)}), eb(${quoted(source.ref)}, 'is', null)])`
}

function comparison(scope: Scope): string {
  const { random } = scope
  const source = column(scope, comparable)
  if (!source?.ref) return 'eb.lit(true)'
  const operator = source.kind === 'bool' ? '=' : random.pick(['=', '<>', '<', '<=', '>', '>=', 'is distinct from'])
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
  return type === 'int4' ? 'integer' : type === 'int8' ? 'bigint' : type
}

function membership(scope: Scope): string {
  const { random } = scope
  const source = column(scope, ['int', 'text', 'id', 'enum', 'ci', 'ctext'])
  if (!source?.ref) return comparison(scope)
  const values = Array.from({ length: random.between(1, 4) }, () => constant(source.kind, scope))
  if (random.chance(0.15)) values.push('null')
  return `eb(${quoted(source.ref)}, ${random.chance(0.7) ? "'in'" : "'not in'"}, [${values.join(', ')}])`
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
    `sql\`(${source.ref} > 1 or ${source.ref} is null)\``,
    `sql\`${source.ref} between 0 and 5\``,
  ])
}

/** EXISTS, IN and scalar subqueries: tied to the key, over a reference table, or needing all shards first. */
function subqueryCondition(scope: Scope): string {
  const { random } = scope
  const alias = scope.names.next('s')
  const table = random.pick(['t', 'u', 'u', 'r', 'x'] as const)
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
  ]
  // Correlated by another column than the key: refused, unless the table is on every shard.
  const other = column(scope, ['int'])
  if (other?.ref && random.chance(table === 'r' ? 0.8 : 0.15)) {
    return `eb.exists(${from}.select('${alias}.id').whereRef('${alias}.g', '=', ${quoted(other.ref)})${filter})`
  }
  if (tie) {
    choices.push(
      () => `eb.exists(${from}.select('${alias}.id')${tie}${filter})`,
      () => `eb.not(eb.exists(${from}.select('${alias}.id')${tie}${filter}))`,
      () =>
        `eb(${refOf(scope, ['int'])}, ${random.pick(["'in'", "'not in'"])}, ${from}.select('${alias}.g')${tie}${filter})`,
      () =>
        `eb(${refOf(scope, ['int', 'id'])}, '<=', ${from}.select((eb) => eb.fn.count('${alias}.id').as('m'))${tie}${filter})`,
      () => `eb(${keyRef(owners, scope)}, ${random.pick(["'in'", "'not in'"])}, ${from}.select('${alias}.k')${filter})`,
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
