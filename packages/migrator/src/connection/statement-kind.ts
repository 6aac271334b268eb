import { isSyntaxError, type ParsedStatement, parseSql, type SqlNode } from '../sql/parse-sql.ts'

/** The statements of a text; empty when they are newer than our parser. */
export function statementsOf(sql: string): readonly ParsedStatement[] {
  const parsed = parseSql(sql)
  return isSyntaxError(parsed) ? [] : parsed
}

/** The single statement of `sql`, or undefined when it is several or newer than our parser. */
export function singleStatement(sql: string): ParsedStatement | undefined {
  const statements = statementsOf(sql)
  return statements.length === 1 ? statements[0] : undefined
}

/** True for BEGIN, COMMIT, ROLLBACK and their prepared forms; savepoints stay inside the transaction. */
export function controlsTransaction({ kind, node }: ParsedStatement): boolean {
  if (kind !== 'TransactionStmt') return false
  return !['TRANS_STMT_SAVEPOINT', 'TRANS_STMT_RELEASE', 'TRANS_STMT_ROLLBACK_TO'].includes(String(node.kind))
}

/** True for what PostgreSQL refuses inside a transaction block (SQLSTATE 25001). */
export function needsNoTransaction({ kind, node }: ParsedStatement): boolean {
  if (kind === 'IndexStmt') return node.concurrent === true
  if (kind === 'DropStmt') return node.concurrent === true
  if (kind === 'VacuumStmt') return node.is_vacuumcmd === true
  if (kind === 'ReindexStmt') return optionIsOn(node.params, 'concurrently') || node.relation === undefined
  if (kind === 'ClusterStmt') return node.relation === undefined
  if (kind === 'AlterTableStmt') return commandsOf(node).some(detachesConcurrently)
  return ['CreatedbStmt', 'DropdbStmt', 'CreateTableSpaceStmt', 'DropTableSpaceStmt', 'AlterSystemStmt'].includes(kind)
}

/** True for statements that give rows and change nothing by themselves. */
export function onlyReads({ kind, node }: ParsedStatement): boolean {
  if (kind === 'SelectStmt') return node.intoClause === undefined && !changesByCall(node)
  return kind === 'VariableShowStmt' || kind === 'ExplainStmt'
}

/** Functions of Citus that change tables, as DDL does. */
const citusDdl = new Set([
  'create_distributed_table',
  'create_distributed_table_concurrently',
  'create_reference_table',
  'citus_add_local_table_to_metadata',
  'undistribute_table',
  'alter_distributed_table',
  'alter_table_set_access_method',
  'update_distributed_table_colocation',
  'citus_schema_distribute',
  'citus_schema_undistribute',
])

function changesByCall(select: SqlNode): boolean {
  const targets = (select.targetList ?? []) as readonly { ResTarget?: { val?: { FuncCall?: SqlNode } } }[]
  return targets.some(({ ResTarget: target }) => {
    const names = (target?.val?.FuncCall?.funcname ?? []) as readonly { String?: { sval?: string } }[]
    return citusDdl.has(names.at(-1)?.String?.sval ?? '')
  })
}

/** True when rows come back that a repeated run would need. */
export function returnsWrittenRows({ node }: ParsedStatement): boolean {
  return Array.isArray(node.returningList) || node.returningClause !== undefined
}

/** The sub-commands of an ALTER TABLE. */
export function commandsOf(node: SqlNode): readonly SqlNode[] {
  const commands = (node.cmds ?? []) as readonly { readonly AlterTableCmd?: SqlNode }[]
  return commands.flatMap(({ AlterTableCmd: command }) => (command ? [command] : []))
}

function detachesConcurrently(command: SqlNode): boolean {
  if (command.subtype !== 'AT_DetachPartition') return false
  const definition = command.def as { PartitionCmd?: { concurrent?: boolean } } | undefined
  return definition?.PartitionCmd?.concurrent === true
}

/** `(full)`, `(full true)`, not `(full off)`. */
export function optionIsOn(list: unknown, name: string): boolean {
  const options = (list ?? []) as readonly {
    DefElem?: { defname?: string; arg?: { String?: { sval?: string }; Integer?: { ival?: number } } }
  }[]
  return options.some(({ DefElem: element }) => {
    if (element?.defname !== name) return false
    const value = element.arg?.String?.sval ?? (element.arg?.Integer && String(element.arg.Integer.ival ?? 0))
    return value === undefined || !['false', 'off', '0'].includes(value.toLowerCase())
  })
}
