import type { Kysely } from 'kysely'
import { z } from 'zod'
import { RepositoryError } from '../errors/repository-error.ts'
import type { ShardKeyColumns } from '../schema/schema-types.ts'
import type { Repository } from './repository.ts'
import type { RepositoryTypesOf } from './repository-types.ts'
import { type AnyDatabase, type RepositoryFields, TableRepository } from './table-repository.ts'

export interface RepositoryDefinition<Id extends string, Key extends string> {
  /** The primary key columns, all of them. */
  readonly id: readonly Id[]
  /** The shard key column; left out for a table that is not sharded. */
  readonly key?: Key
}

const definitionShape = z.strictObject({
  id: z.array(z.string().min(1)).min(1),
  key: z.string().min(1).optional(),
})

/**
 * Defines a typed repository of one table: every call names the shard key, and it works over any Kysely of the table.
 * @throws RepositoryError INVALID_REPOSITORY
 * @example
 * const wallets = defineRepository<Database>()('wallets', { id: ['festival_id', 'id'], key: 'festival_id' })
 * await wallets.with(router.db).update({ festival_id: 'f', id: 'w' }, { balance: '12.50' })
 */
export function defineRepository<Database>() {
  return <
    T extends keyof Database & string,
    const Id extends keyof Database[T] & string,
    const Key extends ShardKeyColumns<Database[T]> = never,
  >(
    table: T,
    definition: RepositoryDefinition<Id, Key>,
  ): Repository<RepositoryTypesOf<Database, T, Id, Key>> => {
    const fields = readDefinition(table, definition)
    return Object.freeze({
      table,
      idColumns: fields.idColumns,
      keyColumn: fields.keyColumn,
      with: (db: unknown) => new TableRepository(db as Kysely<AnyDatabase>, fields),
    }) as Repository<RepositoryTypesOf<Database, T, Id, Key>>
  }
}

function readDefinition(table: string, definition: unknown): RepositoryFields {
  const parsed = definitionShape.safeParse(definition)
  if (!parsed.success) throw invalid(table, z.prettifyError(parsed.error))
  const { id, key } = parsed.data
  const twice = id.find((column, index) => id.indexOf(column) !== index)
  if (twice !== undefined) throw invalid(table, `it names id column '${twice}' twice`)
  const idColumns = Object.freeze([...id])
  const whereColumns = Object.freeze(key === undefined || id.includes(key) ? idColumns : [...id, key])
  return Object.freeze({ table, idColumns, keyColumn: key, whereColumns })
}

function invalid(table: string, reason: string): RepositoryError {
  return new RepositoryError({
    code: 'INVALID_REPOSITORY',
    message: `The repository of table '${table}' is not usable: ${reason}`,
    hint: "Pass { id: ['festival_id', 'id'], key: 'festival_id' }.",
    details: { table },
  })
}
