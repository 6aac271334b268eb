import { type FleetShard, ShardwrightError } from '@shardwright/core'
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
  readonly error: ShardwrightError | undefined
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
    errors: told(results),
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
    return { ...none, error: asError(shard.id, error, write === true) }
  }
}

interface ServerError {
  readonly code?: string
  readonly hint?: string
}

function asError(shard: string, cause: unknown, write: boolean): ShardwrightError {
  if (cause instanceof ShardwrightError) return cause
  const { code, hint } = cause as ServerError
  const message = cause instanceof Error ? cause.message : String(cause)
  return new CliError({
    code: 'STATEMENT_FAILED',
    message: `${message}${code === undefined ? '' : ` (${code})`}`,
    hint: hintFor(code, write) ?? hint ?? 'Correct the statement.',
    details: { shard, sqlState: code },
    cause,
  })
}

function hintFor(code: string | undefined, write: boolean): string | undefined {
  if (code === readOnlyTransaction) return '--write allows it.'
  return write ? 'Each shard ran it by itself: what the others did is not undone.' : undefined
}

/** SQLSTATE read_only_sql_transaction. */
const readOnlyTransaction = '25006'

/** Each error once, with the shards that it comes from. */
function told(results: readonly ShardRows[]): readonly ShardwrightError[] {
  const groups = new Map<string, { readonly error: ShardwrightError; readonly shards: string[] }>()
  for (const { shard, error } of results) {
    if (error === undefined) continue
    const group = groups.get(error.message) ?? { error, shards: [] }
    groups.set(error.message, { error, shards: [...group.shards, shard] })
  }
  return [...groups.values()].map(({ error, shards }) => {
    if (!(error instanceof CliError)) return error
    const { code, message, hint } = error
    return new CliError({ code, message: `${shards.join(', ')}: ${message}`, hint, details: { shards }, cause: error })
  })
}

function renderResults(results: readonly ShardRows[], format: string, width: number, data: unknown): string {
  if (format === 'json') return toJson(data)
  const fields = results.find((result) => result.fields.length > 0)?.fields ?? []
  const rows = results.flatMap((result) => result.rows.map((row) => [result.shard, ...row]))
  const answered = results.some((result) => result.error === undefined)
  if (format === 'csv') return answered ? renderCsv(['shard', ...fields], rows) : ''
  const columns = ['shard', ...fields].map((title, index) => ({
    title,
    of: (row: readonly unknown[]) => cell(row[index]),
    shrinks: true,
  }))
  const counts = results
    .filter((result) => result.fields.length === 0 && result.error === undefined)
    .map((result) => `${result.shard}: ${result.affected ?? 0} rows`)
  return [...(fields.length > 0 ? [renderTable(rows, columns, width)] : []), ...counts].join('\n')
}

function cell(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
