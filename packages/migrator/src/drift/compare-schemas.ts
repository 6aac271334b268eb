import type { CatalogObject, ObjectKind } from './catalog-object.ts'
import { mendDifferent, mendExtra, mendMissing } from './mend-sql.ts'
import type { SchemaSnapshot } from './schema-snapshot.ts'

/** One thing that one shard has otherwise than the reference. */
export interface Difference {
  readonly kind: ObjectKind
  /** e.g. `public.wallets.balance`. */
  readonly object: string
  readonly problem: 'missing' | 'extra' | 'different' | 'invalid'
  readonly expected: string | undefined
  readonly found: string | undefined
  /** SQL that mends it, to be read before it is run; empty where none can. */
  readonly sql: readonly string[]
}

/** Compares two schemas. Pure. What belongs to a missing or extra table is told by the table. */
export function compareSchemas(reference: SchemaSnapshot, other: SchemaSnapshot): readonly Difference[] {
  const expected = byKey(reference)
  const found = byKey(other)
  const differences: Difference[] = []
  for (const [key, object] of expected) {
    const counterpart = found.get(key)
    if (!counterpart && !comesWith(object, found)) differences.push(missing(object))
    if (counterpart && isInvalid(counterpart)) differences.push(invalid(object, counterpart))
    else if (counterpart && counterpart.definition !== object.definition)
      differences.push(different(object, counterpart))
  }
  for (const [key, object] of found) {
    if (!expected.has(key) && !goesWith(object, expected)) differences.push(extra(object))
  }
  return differences
}

function byKey(snapshot: SchemaSnapshot): ReadonlyMap<string, CatalogObject> {
  return new Map(snapshot.objects.map((object) => [`${object.kind} ${object.name}`, object]))
}

/**
 * Columns come with their table, owners and what PUBLIC may do by default with what is made; constraints, indexes and others
 * have SQL of their own.
 */
function comesWith({ kind, table, parts }: CatalogObject, there: ReadonlyMap<string, CatalogObject>): boolean {
  if (kind === 'column') return !there.has(`table ${table}`)
  return (kind === 'owner' || parts?.['by default'] === 'yes') && parts?.of != null && !there.has(parts.of)
}

const onTables: readonly ObjectKind[] = [
  'column',
  'constraint',
  'index',
  'statistics',
  'rule',
  'trigger',
  'policy',
  'sequence',
  'owner',
]

/** DROP TABLE takes everything on the table with it, any DROP what is granted on it. */
function goesWith({ kind, table, parts }: CatalogObject, there: ReadonlyMap<string, CatalogObject>): boolean {
  if (parts?.of != null) return !there.has(parts.of)
  if (table === null || !onTables.includes(kind)) return false
  return !there.has(`table ${table}`) && !there.has(`view ${table}`)
}

function isInvalid(object: CatalogObject): boolean {
  if (object.kind === 'index') return object.parts?.valid == null
  return object.kind === 'constraint' && object.parts?.['invalid index'] === 'true'
}

function missing(object: CatalogObject): Difference {
  return Object.freeze({
    kind: object.kind,
    object: object.name,
    problem: 'missing',
    expected: object.definition,
    found: undefined,
    sql: mendMissing(object),
  })
}

function extra(object: CatalogObject): Difference {
  return Object.freeze({
    kind: object.kind,
    object: object.name,
    problem: 'extra',
    expected: undefined,
    found: object.definition,
    sql: mendExtra(object),
  })
}

function different(expected: CatalogObject, found: CatalogObject): Difference {
  return Object.freeze({
    kind: expected.kind,
    object: expected.name,
    problem: 'different',
    expected: expected.definition,
    found: found.definition,
    sql: mendDifferent(expected, found),
  })
}

function invalid(expected: CatalogObject, found: CatalogObject): Difference {
  return Object.freeze({ ...different(expected, found), problem: 'invalid' })
}
