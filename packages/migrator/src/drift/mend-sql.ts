import type { CatalogObject } from './catalog-object.ts'
import { mendGrant } from './mend-grant.ts'
import { mendType } from './mend-type.ts'

/** SQL that makes what a shard lacks. */
export function mendMissing(object: CatalogObject): readonly string[] {
  if (object.create === '') return []
  if (object.kind === 'index') return [concurrently(object)]
  return object.kind === 'function' ? [object.create] : splitStatements(object.create)
}

/** SQL that takes away what only this shard has. It may lose data: read it first. */
export function mendExtra(object: CatalogObject): readonly string[] {
  if (object.drop === '') return []
  return [
    object.kind === 'index' && object.parts?.concurrently
      ? object.drop.replace(/^drop index/, 'drop index concurrently')
      : object.drop,
  ]
}

/** SQL that turns `found` into `expected`. */
export function mendDifferent(expected: CatalogObject, found: CatalogObject): readonly string[] {
  switch (expected.kind) {
    case 'column':
      return mendColumn(expected, found)
    case 'extension':
      return [`alter extension ${expected.parts?.quoted} update to '${expected.parts?.version}'`]
    case 'setting':
      return [expected.create]
    case 'function':
      return expected.parts?.result === found.parts?.result ? [expected.create] : [found.drop, expected.create]
    case 'sequence':
      return [
        `${expected.create.replace(/^create /, 'alter ')}${expected.definition.endsWith(' cycle') ? '' : ' no cycle'}`,
      ]
    case 'view':
      return mendView(expected, found)
    case 'table':
      return mendTable(expected, found) ?? nothingSafe(expected, found)
    case 'type':
      return mendType(expected, found) ?? nothingSafe(expected, found)
    case 'aggregate':
      return expected.parts?.result === found.parts?.result
        ? [expected.create.replace(/^create /, 'create or replace ')]
        : [found.drop, expected.create]
    case 'owner':
      // What a column owns has no owner of its own before it is let go.
      return found.drop !== '' && expected.drop === '' ? [found.drop, expected.create] : [expected.create]
    case 'grant':
      return mendGrant(expected, found)
    default:
      return [...mendExtra(found), ...mendMissing(expected)]
  }
}

function nothingSafe(expected: CatalogObject, found: CatalogObject): readonly string[] {
  return [
    `-- ${expected.kind} ${expected.name}: expected ${expected.definition}; found ${found.definition}. There is no safe statement for that.`,
  ]
}

const alterable = ['persistence', 'row security', 'forced', 'replica identity'] as const

/** Undefined when the tables are of another kind, or one has an identity that only an index can give. */
function mendTable({ parts: expected }: CatalogObject, { parts: found }: CatalogObject): readonly string[] | undefined {
  if (!expected || !found || expected.shape !== found.shape) return undefined
  const changed = alterable.filter((part) => expected[part] !== found[part])
  if (changed.some((part) => expected[part] == null)) return undefined
  const target = expected.target
  const statements = changed.map((part) => `${target} ${expected[part]}`)
  if (expected.options !== found.options) {
    if (found['option names']) statements.push(`${target} reset (${found['option names']})`)
    if (expected.options) statements.push(`${target} set (${expected.options})`)
  }
  return statements
}

/** In place where the columns are the same, for other views may stand on it; a materialized one is built anew with its indexes. */
function mendView(expected: CatalogObject, found: CatalogObject): readonly string[] {
  const { replace, columns } = expected.parts ?? {}
  if (!replace || !found.parts?.replace || found.parts.columns !== columns) {
    return [...mendExtra(found), ...mendMissing(expected), ...(found.parts?.indexes?.split(';\n') ?? [])]
  }
  return [...(found.parts.reset ? [found.parts.reset] : []), replace]
}

function mendColumn(
  { parts: expected, create, drop }: CatalogObject,
  { parts: found }: CatalogObject,
): readonly string[] {
  if (!expected || !found) return []
  const alter = expected.target
  if (expected.generated !== found.generated) return [drop, create]
  const statements: string[] = []
  if (found.identity && !expected.identity) statements.push(`${alter} drop identity`)
  const retyped = expected.type !== found.type || expected.collation !== found.collation
  if (retyped && found.default !== null) statements.push(`${alter} drop default`)
  if (retyped) {
    const collation = expected.collation === null ? '' : ` collate ${expected.collation}`
    const column = alter?.slice(alter.indexOf(' alter column ') + ' alter column '.length)
    statements.push(`${alter} type ${expected.type}${collation} using ${column}::${expected.type}`)
  }
  if (expected.default !== found.default || (retyped && expected.default !== null)) {
    statements.push(expected.default === null ? `${alter} drop default` : `${alter} set default ${expected.default}`)
  }
  if (expected.notNull !== found.notNull)
    statements.push(`${alter} ${expected.notNull === null ? 'drop' : 'set'} not null`)
  if (expected.identity !== found.identity && expected.identity) {
    statements.push(`${alter} ${found.identity ? expected['identity change'] : `add ${expected.identity}`}`)
  }
  return statements
}

function concurrently({ create, parts }: CatalogObject): string {
  return parts?.concurrently ? create.replace(/^CREATE( UNIQUE)? INDEX /, 'CREATE$1 INDEX CONCURRENTLY ') : create
}

/** Only our own catalog queries join statements, with this very separator. */
function splitStatements(create: string): readonly string[] {
  return create.split(/; (?=alter (?:table|statistics|event trigger) |create extension |grant )/)
}
