import type { CitusMetadata } from '@shardwright/core'
import { sqlStateOf } from '../../pool/sql-state.ts'

interface NamedError extends Error {
  schema?: unknown
  table?: unknown
  column?: unknown
  constraint?: unknown
  detail?: unknown
  where?: unknown
}

/**
 * Puts the names of tables and constraints into what a shard says of a violated constraint: `wallets_102008` and
 * `wallets_pkey_102008`, where callers look for `wallets_pkey`. What the coordinator passes on has them in its message only.
 * @returns the same error
 */
export function withLogicalNames(error: unknown, metadata: CitusMetadata): unknown {
  if (!(error instanceof Error) || !sqlStateOf(error)?.startsWith('23')) return error
  const named = error as NamedError
  if (!isOfShard(named, metadata)) return error
  const { table, constraint, detail } = named
  named.table = logicalName(table) ?? nameIn(tableName, named.message)
  named.constraint = logicalName(constraint) ?? nameIn(constraintName, named.message)
  named.column ??= nameIn(columnName, named.message)
  named.message = logicalText(named.message)
  if (typeof detail === 'string') named.detail = logicalText(detail)
  return error
}

function isOfShard({ schema, table, where }: NamedError, metadata: CitusMetadata): boolean {
  if (typeof table !== 'string' || typeof schema !== 'string')
    return String(where ?? '').startsWith('while executing command on')
  const name = logicalName(table)
  return metadata.find(table, schema) === undefined && name !== undefined && metadata.find(name, schema) !== undefined
}

/** Every shard ends the names of its table and of all constraints with its number. */
const shardName = /^(.+)_\d{6,}$/
const tableName = /(?:table|relation) "([^"]+)_\d{6,}"/
const columnName = /null value in column "([^"]+)"/
const constraintName = /constraint "([^"]+)_\d{6,}"/

function logicalName(name: unknown): string | undefined {
  return typeof name === 'string' ? shardName.exec(name)?.[1] : undefined
}

function nameIn(pattern: RegExp, message: string): string | undefined {
  return pattern.exec(message)?.[1]
}

function logicalText(text: string): string {
  return text.replaceAll(/((?:table|relation|constraint) ")([^"]+)_\d{6,}"/g, '$1$2"')
}
