import type { FleetConnection } from '@shardwright/core'
import type { ParsedStatement } from '../sql/parse-sql.ts'
import { quoteIdentifier, quoteQualified } from '../sql/quote.ts'

interface IndexStatement {
  readonly concurrent?: boolean
  readonly idxname?: string
  readonly relation: { readonly schemaname?: string; readonly relname: string }
}

/**
 * What a failed or killed CREATE INDEX CONCURRENTLY leaves behind: an INVALID index, which costs every write, serves no
 * read, and makes the retry fail (or, with IF NOT EXISTS, pass without an index).
 */
export class IndexLeftover {
  readonly #connection: FleetConnection

  constructor(connection: FleetConnection) {
    this.#connection = connection
  }

  /**
   * Before a CREATE INDEX CONCURRENTLY: drops an invalid index of that name on that table. True when the index stands
   * valid and `interrupted` says that an attempt of exactly this statement was under way: it had ended after all.
   */
  async alreadyBuilt({ kind, node }: ParsedStatement, interrupted: boolean): Promise<boolean> {
    if (kind !== 'IndexStmt') return false
    const { concurrent, idxname, relation } = node as unknown as IndexStatement
    if (!concurrent || !idxname) return false
    const table = relation.schemaname
      ? quoteQualified(relation.schemaname, relation.relname)
      : quoteIdentifier(relation.relname)
    const found = await this.#find(table, idxname)
    if (!found) return false
    if (found.valid) return interrupted
    await this.#connection.query(`drop index concurrently if exists ${quoteQualified(found.schema, idxname)}`)
    return false
  }

  async #find(table: string, index: string): Promise<{ schema: string; valid: boolean } | undefined> {
    const { rows } = await this.#connection.query<{ schema: string; valid: boolean }>(
      `select n.nspname as schema, i.indisvalid and i.indisready as valid
       from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
       where i.indrelid = to_regclass($1) and c.relname = $2`,
      [table, index],
    )
    return rows[0]
  }
}
