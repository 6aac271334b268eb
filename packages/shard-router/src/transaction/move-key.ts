import { canonicalKey, currentReadContext, type Family, type ShardedTable } from '@shardwright/core'
import type { RouterState } from '../execute/context.ts'
import { keepLookups } from '../lookup/keep-lookups.ts'
import type { Statement } from '../pool/shard-pool.ts'
import { carriedAwaySql, foreignKeysSql, parentsFirst, type TableLink } from './parents-first.ts'
import type { RouterTransaction } from './router-transaction.ts'
import { transactionError } from './transaction-error.ts'

/** The key whose rows move, and the one that they get. */
export interface MoveKeyOptions {
  /** The key family, as in the schema. */
  readonly family: string
  readonly from: unknown
  readonly to: unknown
}

/** What `moveKey` carried over. */
export interface MovedKey {
  /** Shard ids; the same when both keys live on one. */
  readonly from: string
  readonly to: string
  /** Rows by table, as named in the schema. */
  readonly rows: Readonly<Record<string, number>>
}

/**
 * Gives all rows of a key another key, on whichever shard that lives, in one atomic transaction. Rows go as the text of
 * the whole row, so that every type arrives as it was; children leave first and parents arrive first, so that foreign
 * keys hold. What others insert under the old key meanwhile stays there, as with an UPDATE.
 * @throws TransactionError MOVE_KEY_UNSUITABLE
 */
export async function moveKey(
  state: RouterState,
  transaction: RouterTransaction,
  options: MoveKeyOptions,
): Promise<MovedKey> {
  const mover = new KeyMover(state, transaction, options)
  let moved: MovedKey
  try {
    moved = await mover.run()
    if (state.schema.lookups.length > 0) await keepLookups(transaction, transaction.shards, state)
  } catch (error) {
    await transaction.rollback()
    throw error
  }
  const { tokens } = await transaction.commit()
  for (const token of tokens) currentReadContext()?.add(token)
  return moved
}

class KeyMover {
  readonly #state: RouterState
  readonly #transaction: RouterTransaction
  readonly #family: Family
  readonly #from: { readonly key: string; readonly shard: number }
  readonly #to: { readonly key: string; readonly shard: number }

  constructor(state: RouterState, transaction: RouterTransaction, { family, from, to }: MoveKeyOptions) {
    this.#state = state
    this.#transaction = transaction
    const found = state.schema.families.get(family)
    if (found === undefined) throw unsuitable(`The schema has no key family '${family}'.`)
    if (state.schema.lookups.some(({ name }) => name === family)) {
      throw unsuitable(`'${family}' holds the entries of a lookup, which follow their rows.`)
    }
    this.#family = found
    this.#from = this.#place(from)
    this.#to = this.#place(to)
    if (this.#from.key === this.#to.key) throw unsuitable('The old and the new key are the same.')
  }

  #place(value: unknown): { readonly key: string; readonly shard: number } {
    const { engine, catalog } = this.#state
    const type = catalog.keyType(this.#family.name)
    const key = canonicalKey(type, value as string)
    return { key: String(key), shard: engine.locate({ family: this.#family.name, type, value: key }) }
  }

  async run(): Promise<MovedKey> {
    const tables = await this.#tablesInOrder()
    for (const table of tables) await this.#checkColumns(table)
    const taken = new Map<ShardedTable, readonly string[]>()
    for (const table of tables.toReversed()) taken.set(table, await this.#take(table))
    for (const table of tables) await this.#put(table, taken.get(table) ?? [])
    const { shards } = this.#state.topology
    return Object.freeze({
      from: shards[this.#from.shard]!.id,
      to: shards[this.#to.shard]!.id,
      rows: Object.freeze(Object.fromEntries(tables.map((table) => [table.name, taken.get(table)?.length ?? 0]))),
    })
  }

  async #tablesInOrder(): Promise<ShardedTable[]> {
    const { tables } = this.#family
    const { rows } = await this.#run(this.#from.shard, carriedAwaySql, [tables.map(nameOf)])
    if (rows.length > 0) {
      const names = (rows as readonly { name: string }[]).map(({ name }) => name).join(', ')
      throw unsuitable(
        `Rows of ${names} go when those they refer to go, and the schema does not have them in this family.`,
      )
    }
    const result = await this.#run(this.#from.shard, foreignKeysSql, [tables.map(nameOf)])
    return parentsFirst(tables, result.rows as readonly TableLink[])
  }

  /** The text of a row is read by position: both shards have to have the same columns in the same order. */
  async #checkColumns(table: ShardedTable): Promise<void> {
    if (this.#from.shard === this.#to.shard) return
    const [here, there] = await Promise.all(
      [this.#from.shard, this.#to.shard].map(async (shard) => {
        const { rows } = await this.#run(shard, columnsSql, [nameOf(table)])
        return (rows[0] as { columns: string }).columns
      }),
    )
    if (here !== there) throw unsuitable(`The columns of '${table.name}' differ between the two shards.`)
  }

  async #take(table: ShardedTable): Promise<readonly string[]> {
    const sql = `delete from ${nameOf(table)} as moved where ${quoted(table.key)} = $1 returning moved::text as line`
    const { rows } = await this.#run(this.#from.shard, sql, [this.#from.key])
    return (rows as readonly { line: string }[]).map(({ line }) => line)
  }

  async #put(table: ShardedTable, lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return
    const columns = this.#state.catalog.table(table.schema, table.table)?.columns ?? []
    const written = columns.filter((column) => !column.generated)
    const values = written.map(({ name, type }) =>
      name === table.key ? `$2::text::${type}` : `(arrived.line).${quoted(name)}`,
    )
    const sql = `insert into ${nameOf(table)} (${written.map(({ name }) => quoted(name)).join(', ')})
 overriding system value select ${values.join(', ')}
 from (select line::${nameOf(table)} as line from unnest($1::text[]) with ordinality as sent (line, place) order by place) as arrived`
    const { rowCount } = await this.#run(this.#to.shard, sql, [lines, this.#to.key])
    if (rowCount !== lines.length) {
      throw unsuitable(`Only ${rowCount} of ${lines.length} rows of '${table.name}' arrived; a trigger dropped some.`)
    }
  }

  #run(shard: number, sql: string, parameters: readonly unknown[]) {
    const statement: Statement = { sql, parameters, access: 'write', rows: 'facts' }
    return this.#transaction.execute(shard, statement)
  }
}

const columnsSql = `select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum) as columns
 from pg_catalog.pg_attribute where attrelid = $1::text::regclass and attnum > 0 and not attisdropped`

function nameOf(table: ShardedTable): string {
  return `${quoted(table.schema)}.${quoted(table.table)}`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function unsuitable(message: string): Error {
  return transactionError('MOVE_KEY_UNSUITABLE', message)
}
