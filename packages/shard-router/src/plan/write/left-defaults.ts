import type { Schema, TablePlacement } from '@shardwright/core'
import type {
  ColumnUpdateNode,
  InsertQueryNode,
  MergeQueryNode,
  OperationNode,
  RawNode,
  RootOperationNode,
  SelectQueryNode,
  UpdateQueryNode,
  ValueListNode,
  ValuesNode,
} from 'kysely'
import { Analyzer } from '../analyzer.ts'
import type { Catalog, CatalogColumn, CatalogTable } from '../catalog.ts'
import type { PreparedPlan } from '../prepared-plan.ts'
import { understandRaw, unwrapRaw } from '../raw/raw-fragment.ts'
import { refuse } from '../refuse.ts'
import { bareQuery } from '../scope/query-node.ts'
import { childrenOf } from '../walk.ts'
import { assignedColumns } from './key-update.ts'
import { writtenPlacement } from './written-table.ts'

/** A column for which PostgreSQL takes its default, in some row at least. */
export interface LeftColumn {
  readonly table: TablePlacement
  readonly column: CatalogColumn
}

/** Finds the columns that writes leave to their defaults: omitted by INSERT, or given as DEFAULT. */
export class LeftDefaults {
  readonly schema: Schema
  readonly catalog: Catalog
  readonly #plan: Pick<PreparedPlan, 'parameters' | 'gathered'>

  constructor(schema: Schema, catalog: Catalog, plan: Pick<PreparedPlan, 'parameters' | 'gathered'>) {
    this.schema = schema
    this.catalog = catalog
    this.#plan = plan
  }

  /** Of every write in the tree; `undefined` for a table that the catalog does not know. */
  of(root: OperationNode): readonly (LeftColumn | undefined)[] {
    const found: (LeftColumn | undefined)[] = []
    const visit = (node: OperationNode): void => {
      const table = writtenPlacement(node, this.schema)
      if (table && node.kind !== 'DeleteQueryNode') found.push(...this.#leftBy(node, table, root))
      for (const child of childrenOf(node)) visit(child)
    }
    visit(root)
    return found
  }

  #leftBy(node: OperationNode, table: TablePlacement, root: OperationNode): readonly (LeftColumn | undefined)[] {
    const described = this.describe(table)
    if (!described) return [undefined]
    const names = new Set(writesIn(node).flatMap((write) => this.#namesLeft(write, described, root)))
    return described.columns.filter(({ name }) => names.has(name)).map((column) => ({ table, column }))
  }

  #namesLeft(write: OperationNode, described: CatalogTable, root: OperationNode): readonly string[] {
    if (write.kind === 'UpdateQueryNode') return defaultsSet((write as UpdateQueryNode).updates)
    const insert = write as InsertQueryNode
    const given = this.givenNames(insert, described, root)
    return [
      ...described.columnNames.filter((name) => !given.includes(name)),
      ...defaultsOfRows(insert, given),
      ...defaultsSet(insert.onConflict?.updates),
    ]
  }

  describe({ schema, table }: TablePlacement): CatalogTable | undefined {
    return this.catalog.table(schema, table)
  }

  /** The columns that an INSERT gives, by position; without a list, the first ones of the table. */
  givenNames(insert: InsertQueryNode, described: CatalogTable, root: OperationNode): readonly string[] {
    if (insert.defaultValues) return []
    if (insert.columns) return insert.columns.map(({ column }) => column.name)
    const query = insert.values && bareQuery(insert.values)
    const width = query?.kind === 'SelectQueryNode' ? this.#widthOf(query as SelectQueryNode, root) : undefined
    return width === undefined ? described.columnNames : described.columnNames.slice(0, width)
  }

  #widthOf(query: SelectQueryNode, root: OperationNode): number | undefined {
    const analyzer = new Analyzer(this.schema, this.catalog, this.#plan.parameters, this.#plan.gathered)
    analyzer.analyze(root as RootOperationNode)
    return analyzer.outputs(query, analyzer.knownBlock(query))?.length
  }
}

/** INSERT and UPDATE themselves, and those inside MERGE. */
export function writesIn(node: OperationNode): readonly OperationNode[] {
  if (node.kind !== 'MergeQueryNode') return [node]
  const results = ((node as MergeQueryNode).whens ?? []).flatMap(({ result }) => result ?? [])
  return results.filter(({ kind }) => kind === 'InsertQueryNode' || kind === 'UpdateQueryNode')
}

/** `default` as a value: Kysely's node for a missing one, or raw text. */
export function isDefault(node: OperationNode): boolean {
  const bare = unwrapRaw(node)
  if (bare.kind === 'DefaultInsertValueNode') return true
  return bare.kind === 'RawNode' && isDefaultText(bare as RawNode)
}

function isDefaultText(node: RawNode): boolean {
  const { tokens } = understandRaw(node)
  return tokens.length === 1 && tokens[0]?.kind === 'word' && tokens[0].text === 'default'
}

function defaultsOfRows(insert: InsertQueryNode, given: readonly string[]): readonly string[] {
  if (insert.values?.kind !== 'ValuesNode') return []
  return (insert.values as ValuesNode).values.flatMap((row) =>
    row.kind === 'ValueListNode'
      ? (row as ValueListNode).values.flatMap((value, position) => (isDefault(value) ? (given[position] ?? []) : []))
      : [],
  )
}

function defaultsSet(updates: readonly ColumnUpdateNode[] | undefined): readonly string[] {
  return (updates ?? []).flatMap((update) => {
    if (isDefault(update.value)) return assignedColumns(update.column)
    refuseHiddenDefault(update.value)
    return []
  })
}

/** `set (a, b) = (default, default)` */
function refuseHiddenDefault(value: OperationNode): void {
  const bare = unwrapRaw(value)
  if (bare.kind !== 'RawNode') return
  if (!understandRaw(bare as RawNode).tokens.some(({ kind, text }) => kind === 'word' && text === 'default')) return
  refuse(
    'RAW_SQL_NOT_UNDERSTOOD',
    'DEFAULT stands inside a raw fragment.',
    'Set each column to sql`default` by itself.',
  )
}
