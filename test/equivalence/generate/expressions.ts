import { quoted } from '../code.ts'
import { type Kind, type Open, samples } from '../world/columns.ts'
import { columnsOf, keyCode, type Scope } from './scope.ts'

/** An expression as Kysely code that takes `eb`, with what kind of value it gives. */
export interface Expression {
  readonly code: string
  readonly kind: Kind
  /** Set for a plain column. */
  readonly ref?: string
  readonly open?: Open | undefined
}

const numeric: readonly Kind[] = ['int', 'big', 'num', 'money', 'id', 'small']
/** A column inside raw text: by its name, which must need no quotes, or by reference. */
export function inText(ref: string): string {
  return /[A-Z]/.test(ref) ? `\${sql.ref(${quoted(ref)})}` : ref
}

/** A constant of a kind, as code of a value. */
export function constant(kind: Kind, scope: Scope): string {
  const { random } = scope
  switch (kind) {
    case 'key':
      return keyCode(scope)
    case 'id':
      return String(random.between(1, 60))
    case 'int':
    case 'small':
      return String(random.between(-3, 9))
    case 'big':
      return quoted(random.pick(samples.bigs))
    case 'num':
      return quoted(random.pick(samples.numerics))
    case 'money':
      return String(random.between(-50, 500))
    case 'float':
    case 'real':
      return '0.5'
    case 'interval':
      return quoted(random.pick(samples.intervals))
    case 'time':
      return quoted(random.pick(samples.clocks))
    case 'char':
      return quoted(random.pick(samples.codes))
    case 'ts':
      return quoted(random.pick(samples.times))
    case 'date':
      return quoted(random.pick(samples.dates))
    case 'bool':
      return random.pick(['true', 'false'])
    case 'enum':
      return quoted(random.pick(samples.moods))
    default:
      return quoted(random.pick(samples.words))
  }
}

export function column(scope: Scope, kinds?: readonly Kind[], open = false): Expression | undefined {
  const found = columnsOf(scope, kinds, open)
  if (found.length === 0) return undefined
  const { ref, kind, open: own } = scope.random.pick(found)
  return { code: `eb.ref(${quoted(ref)})`, kind, ref, open: own }
}

/** A column, mostly; else something computed from columns. */
export function expression(scope: Scope, computed = 0.35): Expression {
  const { random } = scope
  if (!random.chance(computed, 'raw expression')) return column(scope, undefined, true) as Expression
  const make = random.weighted<(scope: Scope) => Expression | undefined>([
    [1, number],
    [1, text],
    [1, time],
    [1, conditional],
    [1, cast],
    [1, raw, 'raw expression'],
    [0.5, array],
  ])
  return make(scope) ?? (column(scope, undefined, true) as Expression)
}

/** A number as the operators give it back: with the type that PostgreSQL widens to. */
function widened(kind: Kind): Kind {
  return kind === 'id' || kind === 'small' ? 'int' : kind
}

function number(scope: Scope): Expression | undefined {
  const { random } = scope
  const source = column(scope, numeric)
  if (!source?.ref) return undefined
  const ref = quoted(source.ref)
  return random.pick<Expression>([
    { code: `eb(${ref}, '+', ${random.between(1, 5)})`, kind: widened(source.kind) },
    { code: `eb(${ref}, '*', eb.lit(${random.between(-2, 3)}))`, kind: widened(source.kind) },
    { code: `eb.fn.coalesce(${ref}, eb.lit(0))`, kind: widened(source.kind) },
    { code: `eb.fn('abs', [${ref}])`, kind: widened(source.kind) },
    { code: `eb(eb.ref(${ref}), '%', eb.lit(3))`, kind: widened(source.kind) },
    { code: `eb.neg(eb.ref(${ref}))`, kind: widened(source.kind) },
  ])
}

function text(scope: Scope): Expression | undefined {
  const { random } = scope
  const source = column(scope, ['text', 'ctext', 'en'])
  if (!source?.ref) return undefined
  const ref = quoted(source.ref)
  return random.pick<Expression>([
    { code: `eb.fn('lower', [${ref}])`, kind: source.kind },
    { code: `eb(${ref}, '||', ${quoted(random.pick(samples.words))})`, kind: source.kind },
    { code: `sql\`substr(\${sql.ref(${ref})}, 1, 1)\``, kind: source.kind },
    { code: `eb.fn.coalesce(${ref}, eb.val('none'))`, kind: source.kind },
    { code: `eb.fn('length', [${ref}])`, kind: 'int' },
    { code: `sql\`\${sql.ref(${ref})} collate "C"\``, kind: 'ctext' },
  ])
}

function time(scope: Scope): Expression | undefined {
  const { random } = scope
  const source = column(scope, ['ts'])
  if (!source?.ref) return undefined
  const ref = quoted(source.ref)
  return random.pick<Expression>([
    { code: `sql\`date_trunc('day', \${sql.ref(${ref})})\``, kind: 'ts' },
    { code: `sql\`extract(year from \${sql.ref(${ref})})\``, kind: 'num' },
    { code: `eb.cast(${ref}, 'date')`, kind: 'date' },
  ])
}

function conditional(scope: Scope): Expression | undefined {
  const source = column(scope, ['int', 'id'])
  if (!source?.ref) return undefined
  const { random } = scope
  return random.pick<Expression>([
    {
      code: `eb.case().when(${quoted(source.ref)}, '>', ${random.between(0, 5)}).then(eb.lit(1)).else(eb.lit(0)).end()`,
      kind: 'int',
    },
    { code: `eb(${quoted(source.ref)}, '>', ${random.between(0, 5)})`, kind: 'bool' },
    { code: `eb.fn('nullif', [${quoted(source.ref)}, eb.lit(2)])`, kind: 'int' },
  ])
}

function cast(scope: Scope): Expression | undefined {
  const { random } = scope
  const source = column(scope, ['int', 'num', 'money', 'date', 'enum', 'bool'])
  if (!source?.ref) return undefined
  const ref = quoted(source.ref)
  if (source.kind === 'int' && random.chance(0.5)) return { code: `eb.cast(${ref}, 'numeric')`, kind: 'num' }
  return { code: `eb.cast(${ref}, 'text')`, kind: 'text' }
}

function array(scope: Scope): Expression | undefined {
  const source = column(scope, ['array'])
  if (!source?.ref) return undefined
  const ref = `\${sql.ref(${quoted(source.ref)})}`
  return scope.random.pick<Expression>([
    { code: `sql\`cardinality(${ref})\``, kind: 'int' },
    { code: `sql\`${ref}[1]\``, kind: 'int' },
    { code: `sql\`array_append(${ref}, 7)\``, kind: 'array' },
  ])
}

function raw(scope: Scope): Expression | undefined {
  const { random } = scope
  const source = column(scope, ['int'])
  if (!source?.ref) return undefined
  const ref = `\${sql.ref(${quoted(source.ref)})}`
  return random.pick<Expression>([
    { code: `sql\`\${sql.val(2)}::int + ${ref}\``, kind: 'int' },
    { code: `sql\`(${ref} * 2)\``, kind: 'int' },
    { code: `sql\`coalesce(${inText(source.ref)}, 0)\``, kind: 'int' },
    { code: `sql\`greatest(${ref}, 3)\``, kind: 'int' },
  ])
}

export const numericKinds = numeric
/** Kinds with a default order that shows in the values. */
export const orderable: readonly Kind[] = [
  'small',
  'real',
  'interval',
  'time',
  'char',
  'en',
  'id',
  'int',
  'big',
  'num',
  'money',
  'float',
  'text',
  'ci',
  'ctext',
  'ts',
  'date',
  'bool',
  'key',
  'enum',
  'bytes',
]
