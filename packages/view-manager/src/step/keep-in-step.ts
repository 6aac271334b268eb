import { createHash } from 'node:crypto'
import type { Fleet, Schema } from '@shardwright/core'
import { z } from 'zod'
import { wrapServerError } from '../errors/failure.ts'
import { invalid, ViewError } from '../errors/view-error.ts'
import { installStep, type StepReport } from './install-step.ts'
import { countOutOfStep } from './step-sql.ts'

type ColumnPath<Database> = { [T in keyof Database & string]: `${T}.${keyof Database[T] & string}` }[keyof Database &
  string]

export interface KeepInStepOptions<Database> {
  /** The column that is copied: `festivals.name`. */
  readonly from: ColumnPath<Database>
  /** The column that follows it: `orders.festival_name`. */
  readonly to: ColumnPath<Database>
  /** How a row of `to`'s table finds its source: `{ from: 'id', to: 'festival_id' }`. `from` has to be unique. */
  readonly on: { readonly from: string; readonly to: string }
  /** The schema of both tables, default `public`. */
  readonly schema?: string
}

/** A copied column that triggers keep equal to its source. */
export interface ColumnInStep {
  /** Installs the triggers on every shard and brings the rows that exist into step, `batchRows` at a time (default 5000). */
  install(fleet: Fleet, options?: { readonly batchRows?: number }): Promise<readonly StepReport[]>
  /** Counts rows that are out of step, per shard. */
  verify(fleet: Fleet): Promise<readonly { readonly shard: string; readonly outOfStep: number }[]>
}

export interface Step {
  readonly schema: string
  readonly fromTable: string
  readonly fromColumn: string
  readonly toTable: string
  readonly toColumn: string
  readonly onFrom: string
  readonly onTo: string
  /** The name of its two triggers and functions. */
  readonly name: string
}

const path = z.string().regex(/^[^.]+\.[^.]+$/, "is 'table.column'")
const name = z.string().min(1)
const shape = z.strictObject({
  from: path,
  to: path,
  on: z.strictObject({ from: name, to: name }),
  schema: name.default('public'),
})

/**
 * Keeps a denormalised column equal to its source by triggers, where both rows are on the same shard.
 * With a schema, that is checked: the source is a reference table, or both tables share the key.
 * @throws ViewError VIEW_INVALID, STEP_NOT_COLOCATED
 * @example
 * const step = keepInStep<Database>({
 *   from: 'festivals.name', to: 'orders.festival_name', on: { from: 'id', to: 'festival_id' },
 * }, schema)
 * await step.install(router.fleet)
 */
export function keepInStep<Database>(options: KeepInStepOptions<Database>, schema?: Schema): ColumnInStep {
  const parsed = shape.safeParse(options)
  if (!parsed.success) throw invalid(`keepInStep's options are not usable: ${z.prettifyError(parsed.error)}`)
  const [fromTable = '', fromColumn = ''] = parsed.data.from.split('.')
  const [toTable = '', toColumn = ''] = parsed.data.to.split('.')
  const { on } = parsed.data
  const hash = createHash('sha256').update(JSON.stringify(parsed.data)).digest('hex').slice(0, 12)
  const step: Step = Object.freeze({
    ...{ schema: parsed.data.schema, fromTable, fromColumn, toTable, toColumn },
    ...{ onFrom: on.from, onTo: on.to, name: `in_step_${hash}` },
  })
  if (schema) checkColocated(step, schema)
  return Object.freeze({
    install: (fleet: Fleet, { batchRows = 5000 } = {}) =>
      onShards(fleet, (shard) => installStep(shard, step, batchRows)),
    verify: (fleet: Fleet) =>
      onShards(fleet, async (shard) => {
        await using connection = await shard.connect({ applicationName: 'shardwright-views' })
        return { shard: shard.id, outOfStep: await countOutOfStep(connection, step) }
      }),
  })
}

async function onShards<T>(fleet: Fleet, work: (shard: Fleet['shards'][number]) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = []
  for (const shard of fleet.shards) {
    try {
      results.push(await work(shard))
    } catch (error) {
      throw wrapServerError(error, `keeping a column in step on the shard ${shard.id}`)
    }
  }
  return results
}

function checkColocated(step: Step, schema: Schema): void {
  const from = schema.find(step.fromTable, step.schema)
  const to = schema.find(step.toTable, step.schema)
  if (from?.kind === 'reference') return
  const sameShard = from?.kind === 'single' && to?.kind === 'single' && from.shard === to.shard
  const sameKey =
    from?.kind === 'sharded' &&
    to?.kind === 'sharded' &&
    from.family === to.family &&
    from.key === step.onFrom &&
    to.key === step.onTo
  if (sameShard || sameKey) return
  throw new ViewError({
    code: 'STEP_NOT_COLOCATED',
    message: `A row of '${step.toTable}' may be on another shard than its row of '${step.fromTable}'.`,
    details: { from: step.fromTable, to: step.toTable },
  })
}
