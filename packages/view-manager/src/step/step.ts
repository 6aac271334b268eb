import { createHash } from 'node:crypto'
import type { Schema } from '@shardwright/core'
import { z } from 'zod'
import { invalid } from '../errors/view-error.ts'

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

/** @throws ViewError VIEW_INVALID */
export function resolveStep(options: unknown): Step {
  const parsed = shape.safeParse(options)
  if (!parsed.success) throw invalid(`The column to keep in step is not usable: ${z.prettifyError(parsed.error)}`)
  const [fromTable = '', fromColumn = ''] = parsed.data.from.split('.')
  const [toTable = '', toColumn = ''] = parsed.data.to.split('.')
  const { on } = parsed.data
  const hash = createHash('sha256').update(JSON.stringify(parsed.data)).digest('hex').slice(0, 12)
  return Object.freeze({
    ...{ schema: parsed.data.schema, fromTable, fromColumn, toTable, toColumn },
    ...{ onFrom: on.from, onTo: on.to, name: `in_step_${hash}` },
  })
}

/** True when a row and its source are on the same shard by their placements. */
export function isColocated(step: Step, schema: Schema): boolean {
  const from = schema.find(step.fromTable, step.schema)
  const to = schema.find(step.toTable, step.schema)
  if (from?.kind === 'reference') return true
  const sameShard = from?.kind === 'single' && to?.kind === 'single' && from.shard === to.shard
  const sameKey =
    from?.kind === 'sharded' &&
    to?.kind === 'sharded' &&
    from.family === to.family &&
    from.key === step.onFrom &&
    to.key === step.onTo
  return sameShard || sameKey
}
