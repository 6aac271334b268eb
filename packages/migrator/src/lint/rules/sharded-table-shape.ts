import type { SqlNode } from '../../sql/parse-sql.ts'
import { columnConstraints, tableElements } from '../alter-command.ts'
import type { Problem } from '../finding.ts'
import { display, type LintContext, stringsOf } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

/** CREATE TABLE of a sharded table without a primary key, with a sequence, or of a table without a placement. */
export const shardedTableShape: LintRule = {
  name: 'sharded-table-shape',
  check: ({ kind, node }, context) => {
    const into = intoOf(kind, node)
    if (into) return madeByQuery(into, context)
    const table = context.nameOf(node.relation)
    if (kind !== 'CreateStmt' || !table || !context.placements || node.partbound || node.inhRelations) return []
    const at = { table: display(table) }
    const placement = context.placementOf(table)
    if (!placement) return [noPlacement(at)]
    if (placement.kind !== 'sharded') return []
    const { columns, constraints } = tableElements(node)
    const all = [...constraints, ...columns.flatMap(columnConstraints)]
    const problems: Problem[] = []
    if (!all.some((constraint) => constraint.contype === 'CONSTR_PRIMARY')) {
      problems.push({
        ...at,
        severity: 'error',
        message: 'a sharded table needs a primary key that has the shard key in it',
        remedy: `PRIMARY KEY (${placement.key}, ...): replication filters and bucket moves rely on it.`,
      })
    }
    if (columns.length > 0 && !columns.some((column) => column.colname === placement.key)) {
      problems.push({
        ...at,
        severity: 'error',
        message: `the table has no column ${placement.key}, which its placement names as shard key`,
        remedy: 'Add the column, or correct the placement.',
      })
    }
    const sequence = columns.find(
      (column) =>
        columnConstraints(column).some((constraint) => constraint.contype === 'CONSTR_IDENTITY') ||
        /serial/.test(stringsOf(column.typeName?.names).at(-1) ?? ''),
    )
    if (sequence) {
      problems.push({
        ...at,
        severity: 'warning',
        message: `${sequence.colname} counts on each shard by itself: the same number appears on several`,
        remedy:
          "Use uuid v7 or core's sortable ids; a number that is unique only beside the key is fine, allow this rule then.",
      })
    }
    return problems
  },
}

interface IntoClause {
  readonly rel?: { readonly relpersistence?: string }
  readonly skipData?: boolean
}

/** The table that CREATE TABLE AS or SELECT INTO makes and fills; WITH NO DATA its key can still be added. */
function intoOf(kind: string, node: SqlNode): unknown {
  if (kind !== 'SelectStmt' && (kind !== 'CreateTableAsStmt' || node.objtype !== 'OBJECT_TABLE')) return undefined
  const into = (kind === 'SelectStmt' ? node.intoClause : node.into) as IntoClause | undefined
  return into?.skipData || into?.rel?.relpersistence === 't' ? undefined : into?.rel
}

function madeByQuery(relation: unknown, context: LintContext): readonly Problem[] {
  const table = context.nameOf(relation)
  if (!table || !context.placements) return []
  const at = { table: display(table) }
  const placement = context.placementOf(table)
  if (!placement) return [noPlacement(at)]
  if (placement.kind === 'sharded') {
    return [
      {
        ...at,
        severity: 'error',
        message: 'CREATE TABLE AS makes no primary key, and a sharded table needs one that has the shard key in it',
        remedy: `CREATE TABLE ... with PRIMARY KEY (${placement.key}, ...) first (createShardedTable), then INSERT ... SELECT.`,
      },
    ]
  }
  if (placement.kind !== 'reference') return []
  return [
    {
      ...at,
      severity: 'error',
      message: 'CREATE TABLE AS fills this reference table with what each shard has, so the copies may differ',
      remedy: 'createReferenceTable, then seedReference, which sends the same rows everywhere.',
    },
  ]
}

function noPlacement(at: { readonly table: string }): Problem {
  return {
    ...at,
    severity: 'warning',
    message: 'the table has no placement: the router will refuse it',
    remedy: 'Give it one in defineSchema.',
  }
}
