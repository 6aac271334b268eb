import { quoted } from '../code.ts'
import { type Kind, samples } from '../world/columns.ts'
import { columnsOf, keyCode, type Scope } from './scope.ts'

/** An expression as Kysely code that takes `eb`, with what kind of value it gives. */
export interface Expression {
  readonly code: string
  readonly kind: Kind
  /** Set for a plain column. */
  readonly ref?: string
}

const numeric: readonly Kind[] = ['int', 'big', 'num', 'money', 'id']
const textual: readonly Kind[] = ['text', 'ctext', 'ci']

/** A constant of a kind, as code of a value. */
export function constant(kind: Kind, scope: Scope): string {
  const { random } = scope
  switch (kind) {
    case 'key':
      return keyCode(scope)
    case 'id':
      return String(random.between(1, 60))
    case 'int':
      return String(random.between(-3, 9))
    case 'big':
      return quoted(random.pick(samples.bigs))
    case 'num':
      return quoted(random.pick(samples.numerics))
    case 'money':
      return String(random.between(-50, 500))
    case 'float':
      return '0.5'
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

export function column(scope: Scope, kinds?: readonly Kind[]): Expression | undefined {
  const found = columnsOf(scope, kinds)
  if (found.length === 0) return undefined
  const { ref, kind } = scope.random.pick(found)
  return { code: `eb.ref(${quoted(ref)})`, kind, ref }
}

/** A column, mostly; else something computed from columns. */
export function expression(scope: Scope, computed = 0.35): Expression {
  const { random } = scope
  const plain = column(scope) as Expression
  if (!random.chance(computed)) return plain
  const made = random.pick([number, text, time, conditional, cast, raw])(scope)
  return made ?? plain
}

function number(scope: Scope): Expression | undefined {
  const { random } = scope
  const source = column(scope, numeric)
  if (!source?.ref) return undefined
  const ref = quoted(source.ref)
  return random.pick<Expression>([
    { code: `eb(${ref}, '+', ${random.between(1, 5)})`, kind: source.kind === 'id' ? 'int' : source.kind },
    { code: `eb(${ref}, '*', eb.lit(${random.between(-2, 3)}))`, kind: source.kind === 'id' ? 'int' : source.kind },
    { code: `eb.fn.coalesce(${ref}, eb.lit(0))`, kind: source.kind === 'id' ? 'int' : source.kind },
    { code: `eb.fn('abs', [${ref}])`, kind: source.kind === 'id' ? 'int' : source.kind },
    { code: `eb(eb.ref(${ref}), '%', eb.lit(3))`, kind: source.kind === 'id' ? 'int' : source.kind },
    { code: `eb.neg(eb.ref(${ref}))`, kind: source.kind === 'id' ? 'int' : source.kind },
  ])
}

function text(scope: Scope): Expression | undefined {
  const { random } = scope
  const source = column(scope, ['text', 'ctext'])
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

function raw(scope: Scope): Expression | undefined {
  const { random } = scope
  const source = column(scope, ['int'])
  if (!source?.ref) return undefined
  const ref = `\${sql.ref(${quoted(source.ref)})}`
  return random.pick<Expression>([
    { code: `sql\`\${sql.val(2)}::int + ${ref}\``, kind: 'int' },
    { code: `sql\`(${ref} * 2)\``, kind: 'int' },
    { code: `sql\`coalesce(${source.ref}, 0)\``, kind: 'int' },
    { code: `sql\`greatest(${ref}, 3)\``, kind: 'int' },
  ])
}

export const numericKinds = numeric
export const textKinds = textual
/** Kinds with a default order that shows in the values. */
export const orderable: readonly Kind[] = [
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
