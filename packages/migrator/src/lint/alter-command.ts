import { commandsOf } from '../connection/statement-kind.ts'
import type { ParsedStatement, SqlNode } from '../sql/parse-sql.ts'
import type { LintContext, TableName } from './lint-context.ts'

export interface AlterCommand {
  readonly table: TableName
  /** e.g. `AT_AddColumn`. */
  readonly subtype: string
  /** The column or constraint it names. */
  readonly name: string | undefined
  readonly column: ColumnDefinition | undefined
  readonly constraint: ConstraintDefinition | undefined
  readonly node: SqlNode
}

export interface ColumnDefinition {
  readonly colname: string
  readonly typeName?: { readonly names?: unknown }
  readonly raw_default?: unknown
  readonly constraints?: readonly { readonly Constraint: ConstraintDefinition }[]
}

export interface ConstraintDefinition {
  readonly contype: string
  readonly conname?: string
  readonly raw_expr?: unknown
  readonly keys?: unknown
  readonly exclusions?: unknown
  readonly indexname?: string
  readonly skip_validation?: boolean
  readonly pktable?: unknown
  readonly fk_attrs?: unknown
  readonly pk_attrs?: unknown
  readonly generated_when?: string
  readonly generated_kind?: string
}

/** The commands of an ALTER TABLE; empty for every other statement. */
export function alterCommands({ kind, node }: ParsedStatement, context: LintContext): readonly AlterCommand[] {
  const table = kind === 'AlterTableStmt' && node.objtype === 'OBJECT_TABLE' ? context.nameOf(node.relation) : undefined
  if (!table) return []
  return commandsOf(node).map((command) => {
    const definition = (command.def ?? {}) as { ColumnDef?: ColumnDefinition; Constraint?: ConstraintDefinition }
    return {
      table,
      subtype: String(command.subtype),
      name: command.name as string | undefined,
      column: definition.ColumnDef,
      constraint: definition.Constraint,
      node: command,
    }
  })
}

/** The columns and constraints of a CREATE TABLE. */
export function tableElements(node: SqlNode): {
  readonly columns: readonly ColumnDefinition[]
  readonly constraints: readonly ConstraintDefinition[]
} {
  const elements = (node.tableElts ?? []) as readonly {
    ColumnDef?: ColumnDefinition
    Constraint?: ConstraintDefinition
  }[]
  return {
    columns: elements.flatMap(({ ColumnDef: column }) => (column ? [column] : [])),
    constraints: elements.flatMap(({ Constraint: constraint }) => (constraint ? [constraint] : [])),
  }
}

export function columnConstraints(column: ColumnDefinition): readonly ConstraintDefinition[] {
  return (column.constraints ?? []).map((entry) => entry.Constraint)
}
