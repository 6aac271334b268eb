import type { FleetShard } from '@shardwright/core'
import { CliError } from '../errors/cli-error.ts'
import { renderCsv } from '../output/csv.ts'
import { exitCode } from '../output/exit-code.ts'
import { renderTable } from '../output/table.ts'
import type { Command } from '../run/command.ts'
import { toJson } from '../run/run-command.ts'

export interface SqlOptions {
  readonly statement: string
  readonly shard?: readonly string[]
  readonly format?: 'table' | 'csv' | 'json'
  readonly write?: boolean
}

interface ShardRows {
  readonly shard: string
  readonly fields: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
  readonly affected: number | null
  readonly error: string | undefined
}

/** Runs one statement on each chosen shard, read-only unless --write; not merged: each row says its shard. */
export const sql: Command<SqlOptions> = async (context, options) => {
  const { fleet } = await context.open()
  const shards = choose(fleet.shards, options.shard)
  if (options.write)
    await context.confirm(`Run it with the right to write on ${shards.map((shard) => shard.id).join(', ')}?`)
  const results = await Promise.all(shards.map((shard) => runOn(shard, options)))
  const failed = results.some((result) => result.error !== undefined)
  const data = results.map(({ rows, fields, ...result }) => ({
    ...result,
    rows: rows.map((row) => Object.fromEntries(fields.map((field, index) => [field, row[index]]))),
  }))
  return {
    data,
    render: (width) => renderResults(results, options.format ?? 'table', width, data),
    exitCode: failed ? exitCode.error : exitCode.ok,
  }
}

function choose(shards: readonly FleetShard[], ids: readonly string[] | undefined): readonly FleetShard[] {
  const unknown = ids?.find((id) => !shards.some((shard) => shard.id === id))
  if (unknown !== undefined) {
    throw new CliError({
      code: 'USAGE',
      message: `There is no shard ${JSON.stringify(unknown)}.`,
      hint: `The shards are ${shards.map((shard) => shard.id).join(', ')}.`,
    })
  }
  return ids ? shards.filter((shard) => ids.includes(shard.id)) : shards
}

async function runOn(shard: FleetShard, { statement, write }: SqlOptions): Promise<ShardRows> {
  const none = { shard: shard.id, fields: [], rows: [], affected: null }
  try {
    await using connection = await shard.connect({ applicationName: 'shardwright-sql' })
    // A session setting, not BEGIN READ ONLY, so that what cannot run in a transaction can. The extended protocol takes
    // no second statement, which could switch it off.
    if (!write) await connection.query('set default_transaction_read_only = on')
    const result = await connection.client.query<unknown[]>({
      text: statement,
      rowMode: 'array',
      queryMode: 'extended',
    })
    return {
      shard: shard.id,
      fields: result.fields.map((field) => field.name),
      rows: result.rows as unknown as unknown[][],
      affected: result.rowCount,
      error: undefined,
    }
  } catch (error) {
    return { ...none, error: reasonOf(error) }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && error.code === readOnlyTransaction ? `${error.message}; --write allows it` : error.message
}

/** SQLSTATE read_only_sql_transaction. */
const readOnlyTransaction = '25006'

function renderResults(results: readonly ShardRows[], format: string, width: number, data: unknown): string {
  if (format === 'json') return toJson(data)
  const fields = results.find((result) => result.fields.length > 0)?.fields ?? []
  const rows = results.flatMap((result) => result.rows.map((row) => [result.shard, ...row]))
  const errors = results.flatMap((result) => (result.error === undefined ? [] : [`${result.shard}: ${result.error}`]))
  if (format === 'csv')
    return [renderCsv(['shard', ...fields], rows), ...errors.map((error) => `# ${error}`)].join('\n')
  const columns = ['shard', ...fields].map((title, index) => ({
    title,
    of: (row: readonly unknown[]) => cell(row[index]),
    shrinks: true,
  }))
  const counts = results
    .filter((result) => result.fields.length === 0 && result.error === undefined)
    .map((result) => `${result.shard}: ${result.affected ?? 0} rows`)
  return [...(fields.length > 0 ? [renderTable(rows, columns, width)] : []), ...counts, ...errors].join('\n')
}

function cell(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
