import { identifier } from '../sql/identifier.ts'
import { noteBatch } from './convert-journal.ts'
import { type ConvertRun, insertColumns, insertInto } from './convert-run.ts'

export interface CopyState {
  readonly lastKey: readonly string[] | undefined
  readonly copied: boolean
  readonly rows: bigint
}

/**
 * Copies the next rows by primary key, and notes how far it came in the same transaction: a run that is killed goes on
 * exactly there. Rows that a change has brought over already are left as they are.
 */
export async function copyBatch(run: ConvertRun, state: CopyState): Promise<CopyState> {
  const { session, source, names, policy } = run
  const edge = await nextEdge(run, state.lastKey)
  const after = state.lastKey && `${keyRow(run)} > ${keyValues(run, 0)}`
  const upTo = edge && `${keyRow(run)} <= ${keyValues(run, state.lastKey ? source.primaryKey.length : 0)}`
  const where = [after, upTo].filter(Boolean).join(' and ')
  const { rowCount } = await session.query(
    `${insertInto(run)} select ${insertColumns(source)} from only ${names.source}${where ? ` where ${where}` : ''}
     on conflict do nothing`,
    [...(state.lastKey ?? []), ...(edge ?? [])],
  )
  const rows = BigInt(rowCount ?? 0)
  const copied = edge === undefined
  await noteBatch(session, policy, { lastKey: edge, copied, rows })
  return { lastKey: edge ?? state.lastKey, copied, rows: state.rows + rows }
}

/** The key of the last row of the next batch; `undefined` when what is left is less than a batch. */
async function nextEdge(
  run: ConvertRun,
  lastKey: readonly string[] | undefined,
): Promise<readonly string[] | undefined> {
  const { session, source, names, options } = run
  const keys = source.primaryKey.map((column) => identifier(column.name))
  const { rows } = await session.query<{ edge: string[] }>(
    `select array[${keys.map((key) => `${key}::text`).join(', ')}] as edge from only ${names.source}
      ${lastKey ? `where ${keyRow(run)} > ${keyValues(run, 0)}` : ''}
      order by ${keys.join(', ')} limit 1 offset ${options.batchRows - 1}`,
    [...(lastKey ?? [])],
  )
  return rows[0]?.edge
}

function keyRow({ source }: ConvertRun): string {
  return `(${source.primaryKey.map((column) => identifier(column.name)).join(', ')})`
}

function keyValues({ source }: ConvertRun, from: number): string {
  return `(${source.primaryKey.map((column, at) => `$${from + at + 1}::text::${column.type}`).join(', ')})`
}
