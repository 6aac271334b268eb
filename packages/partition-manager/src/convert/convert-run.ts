import type { MaintenanceSession } from '../apply/session.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { identifier } from '../sql/identifier.ts'
import type { ConvertNames } from './convert-names.ts'
import type { ResolvedConvertOptions } from './convert-options.ts'
import type { SourceTable } from './source-table.ts'

/** What the steps of one conversion share. */
export interface ConvertRun {
  readonly session: MaintenanceSession
  readonly policy: PartitionPolicy
  readonly source: SourceTable
  readonly names: ConvertNames
  readonly options: ResolvedConvertOptions
}

/** Columns to insert; generated ones compute themselves. */
export function insertColumns(source: SourceTable): string {
  return source.columns
    .filter((column) => !column.generated)
    .map((column) => identifier(column.name))
    .join(', ')
}

/** `insert into shadow (...) overriding system value`. */
export function insertInto({ source, names }: ConvertRun): string {
  const overriding = source.columns.some((column) => column.identity) ? ' overriding system value' : ''
  return `insert into ${names.shadow} (${insertColumns(source)})${overriding}`
}

/** `a."id" = b."id" and ...` over the primary key. */
export function sameKey(source: SourceTable, a: string, b: string): string {
  return source.primaryKey.map(({ name }) => `${a}.${identifier(name)} = ${b}.${identifier(name)}`).join(' and ')
}
