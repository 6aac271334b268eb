import type { Schema, TablePlacement } from '@shardwright/core'
import type { SqlNode } from '../sql/parse-sql.ts'

/** A table as a statement names it. */
export interface TableName {
  readonly schema: string
  readonly table: string
}

/** What the linter knows while it walks over the statements of a run, in order. */
export class LintContext {
  readonly placements: Schema | undefined
  /** The migration runs inside a transaction. */
  readonly transaction: boolean
  readonly #defaultSchema: string
  readonly #created: Set<string>
  readonly #perhapsCreated: Set<string>
  readonly #checked: Set<string>
  readonly #indexes: Map<string, readonly string[]>
  /** Constraints that this migration adds without proving them, and their kinds. */
  readonly #unproven = new Map<string, string>()
  /** The kinds of the constraints of all migrations. */
  readonly #constraints: Map<string, string>

  constructor(placements: Schema | undefined, transaction = true, earlier?: LintContext) {
    this.placements = placements
    this.transaction = transaction
    this.#defaultSchema = placements?.defaultSchema ?? 'public'
    this.#created = earlier ? earlier.#created : new Set()
    this.#perhapsCreated = earlier ? earlier.#perhapsCreated : new Set()
    this.#checked = earlier ? earlier.#checked : new Set()
    this.#indexes = earlier ? earlier.#indexes : new Map()
    this.#constraints = earlier ? earlier.#constraints : new Map()
  }

  /** The next migration of the same run: it knows what the earlier ones have made. */
  next(transaction: boolean): LintContext {
    return new LintContext(this.placements, transaction, this)
  }

  nameOf(relation: unknown): TableName | undefined {
    const { relname, schemaname } = (relation ?? {}) as { relname?: string; schemaname?: string }
    return relname === undefined ? undefined : { schema: schemaname ?? this.#defaultSchema, table: relname }
  }

  placementOf(name: TableName | undefined): TablePlacement | undefined {
    return name && this.placements?.find(name.table, name.schema)
  }

  /** A table that this run creates holds no rows and no readers yet: its locks harm nobody. */
  isNew(name: TableName | undefined): boolean {
    return name !== undefined && this.#created.has(display(name))
  }

  /** IF NOT EXISTS may have made nothing: what follows is then about a table with rows. */
  markCreated(relation: unknown, ifNotExists: boolean): void {
    const name = this.nameOf(relation)
    if (name) (ifNotExists ? this.#perhapsCreated : this.#created).add(display(name))
  }

  /** `schema.table` was created by this run, if it was not there before. */
  isPerhapsNew(table: string | undefined): boolean {
    return table !== undefined && this.#perhapsCreated.has(table)
  }

  /** A domain is named by a list of names. */
  domainOf(names: unknown): TableName | undefined {
    const [last, schema] = stringsOf(names).toReversed()
    return last === undefined ? undefined : { schema: schema ?? this.#defaultSchema, table: `domain ${last}` }
  }

  markCreatedDomain(names: unknown): void {
    const name = this.domainOf(names)
    if (name) this.#created.add(display(name))
  }

  rememberUnproven(name: TableName, constraint: string, kind: string): void {
    this.#unproven.set(`${display(name)} ${constraint}`, kind)
    this.#constraints.set(`${display(name)} ${constraint}`, kind)
  }

  /** The kind of a constraint while the lock of the statement that added it is still held in this migration. */
  addedUnproven(name: TableName, constraint: string): string | undefined {
    return this.#unproven.get(`${display(name)} ${constraint}`)
  }

  /** Remembers the columns of an index, for the primary key that may take it. */
  rememberIndex(table: TableName | undefined, { idxname, indexParams }: SqlNode): void {
    const columns = findNodes(indexParams, 'IndexElem').map((element) => String(element.name ?? ''))
    if (table && typeof idxname === 'string') this.#indexes.set(`${table.schema}.${idxname}`, columns)
  }

  /** Every column of the index is known to have no NULL. */
  isIndexNotNull(table: TableName, index: string): boolean {
    const columns = this.#indexes.get(`${table.schema}.${index}`)
    return columns?.every((column) => this.isKnownNotNull(table, column)) ?? false
  }

  /** Remembers a CHECK (column IS NOT NULL), to know its validation by name. */
  rememberCheck(name: TableName, constraint: string, column: string): void {
    this.#checked.add(`${display(name)} ${constraint} ${column}`)
  }

  /** A CHECK of the table is proven; what it says the linter does not know. */
  hasProvenCheck(name: TableName | undefined): boolean {
    return name !== undefined && this.#checked.has(`${display(name)} has a check`)
  }

  markNotNull(name: TableName, column: string): void {
    this.#checked.add(`${display(name)} not null ${column}`)
  }

  markValidated(name: TableName, constraint: string): void {
    if (this.#constraints.get(`${display(name)} ${constraint}`) !== 'CONSTR_FOREIGN') {
      this.#checked.add(`${display(name)} has a check`)
    }
    const prefix = `${display(name)} ${constraint} `
    for (const entry of [...this.#checked]) {
      if (entry.startsWith(prefix)) this.#checked.add(`${display(name)} not null ${entry.slice(prefix.length)}`)
    }
  }

  isKnownNotNull(name: TableName, column: string): boolean {
    return this.#checked.has(`${display(name)} not null ${column}`)
  }
}

export function display(name: TableName): string {
  return `${name.schema}.${name.table}`
}

/** The `String` nodes of a list, e.g. column names. */
export function stringsOf(list: unknown): readonly string[] {
  const nodes = (list ?? []) as readonly { String?: { sval?: string } }[]
  return nodes.flatMap((node) => (node.String?.sval === undefined ? [] : [node.String.sval]))
}

/** Every node of the given kind below `node`. */
export function findNodes(node: unknown, kind: string): readonly SqlNode[] {
  if (typeof node !== 'object' || node === null) return []
  const below = Object.values(node).flatMap((child) => findNodes(child, kind))
  const own = (node as Record<string, unknown>)[kind]
  return own === undefined ? below : [own as SqlNode, ...below]
}
