import type { ParsedStatement, SqlNode } from '../../sql/parse-sql.ts'
import { alterCommands, type ConstraintDefinition, columnConstraints, tableElements } from '../alter-command.ts'
import type { Problem } from '../finding.ts'
import { display, findNodes, type LintContext, stringsOf, type TableName } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

interface UniqueSet {
  readonly table: TableName
  readonly columns: readonly string[]
  readonly what: 'the primary key' | 'a unique index' | 'an exclusion constraint'
}

/** Uniqueness is per shard: without the key among the columns, two shards can hold the same value. */
export const uniqueWithoutKey: LintRule = {
  name: 'unique-without-key',
  check: (statement, context) =>
    uniqueSets(statement, context).flatMap((unique): readonly Problem[] => {
      const placement = context.placementOf(unique.table)
      if (placement?.kind !== 'sharded' || unique.columns.includes(placement.key)) return []
      return [
        {
          severity: 'error',
          table: display(unique.table),
          message: `${unique.what} on (${unique.columns.join(', ')}) leaves out the shard key ${placement.key}: each shard would only see its own rows`,
          remedy: `Put ${placement.key} among its columns, or keep global uniqueness in a lookup table that is sharded by the value.`,
        },
      ]
    }),
}

function uniqueSets(statement: ParsedStatement, context: LintContext): readonly UniqueSet[] {
  const { kind, node } = statement
  const table = context.nameOf(node.relation)
  if (kind === 'IndexStmt' && node.unique && table)
    return [{ table, columns: indexColumns(node.indexParams), what: 'a unique index' }]
  if (kind === 'CreateStmt' && table) {
    const { columns, constraints } = tableElements(node)
    const inline = columns.flatMap((column) =>
      columnConstraints(column).map((constraint) => uniqueSet(table, constraint, [column.colname])),
    )
    return [...inline, ...constraints.map((constraint) => uniqueSet(table, constraint))].filter(
      (set) => set !== undefined,
    )
  }
  return alterCommands(statement, context).flatMap(({ table: at, constraint, column }) => {
    const inline = column ? columnConstraints(column).map((entry) => uniqueSet(at, entry, [column.colname])) : []
    return [...inline, constraint && uniqueSet(at, constraint)].filter((set) => set !== undefined)
  })
}

function uniqueSet(table: TableName, constraint: ConstraintDefinition, own?: readonly string[]): UniqueSet | undefined {
  if (constraint.contype === 'CONSTR_EXCLUSION') {
    const columns = findNodes(constraint.exclusions, 'IndexElem').map(columnOf)
    return { table, columns, what: 'an exclusion constraint' }
  }
  const primary = constraint.contype === 'CONSTR_PRIMARY'
  if (!primary && constraint.contype !== 'CONSTR_UNIQUE') return undefined
  if (constraint.indexname !== undefined) return undefined // its CREATE UNIQUE INDEX was judged
  return { table, columns: own ?? stringsOf(constraint.keys), what: primary ? 'the primary key' : 'a unique index' }
}

function indexColumns(parameters: unknown): readonly string[] {
  const elements = (parameters ?? []) as readonly { IndexElem?: SqlNode }[]
  return elements.map((element) => columnOf(element.IndexElem ?? {}))
}

function columnOf({ name }: SqlNode): string {
  return typeof name === 'string' ? name : 'an expression'
}
