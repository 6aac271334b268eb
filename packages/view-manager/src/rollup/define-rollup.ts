import { createHash } from 'node:crypto'
import { z } from 'zod'
import { parseSchedule } from '../definition/schedule.ts'
import { invalid } from '../errors/view-error.ts'
import type { BucketUnit, Rollup, RollupMeasure } from './rollup.ts'

type Column<Table> = keyof Table & string

/** `{ sum: 'amount' }`, `{ min: 'at' }`, `{ max: 'at' }`, `{ count: true }` (rows) or `{ count: 'note' }` (not null). */
export type Measure<Column extends string> =
  | { readonly sum: Column }
  | { readonly min: Column }
  | { readonly max: Column }
  | { readonly count: Column | true }

export interface RollupOptions<Database, Name extends keyof Database & string, Source extends keyof Database & string> {
  /** The summary table, a table of `Database` with the columns `bucket`, the keys and the measures. */
  readonly name: Name
  readonly source: Source
  /** The timestamptz column of the source that the buckets follow. */
  readonly time: Column<Database[Source]>
  readonly bucket: BucketUnit
  /** Buckets begin where they begin there; an IANA name, default `UTC`. */
  readonly zone?: string
  /** Columns that are grouped by besides the bucket: the shard key among them. */
  readonly keys: readonly (Column<Database[Source]> & Column<Database[Name]>)[]
  /** Column of the summary by what it holds. An average is a sum and a count. */
  readonly measures: { readonly [C in Column<Database[Name]>]?: Measure<Column<Database[Source]>> }
  readonly refresh?: { readonly every?: string; readonly zone?: string; readonly budgetMs?: number }
  /** The schema of both tables, default `public`. */
  readonly schema?: string
}

const name = z.string().min(1)
const measureShape = z.union([
  z.strictObject({ sum: name }),
  z.strictObject({ min: name }),
  z.strictObject({ max: name }),
  z.strictObject({ count: z.union([name, z.literal(true)]) }),
])
const shape = z.strictObject({
  name,
  source: name,
  time: name,
  bucket: z.enum(['hour', 'day', 'week', 'month', 'year']),
  zone: name.default('UTC'),
  keys: z.array(name),
  measures: z.record(name, measureShape).refine((measures) => Object.keys(measures).length > 0, 'has none'),
  refresh: z
    .strictObject({
      every: z.string().optional(),
      zone: z.string().default('UTC'),
      budgetMs: z.int().positive().default(600_000),
    })
    .prefault({}),
  schema: name.default('public'),
})

/**
 * Defines a summary by time bucket that is brought up to date from what changed, and that keeps its history when retention
 * detaches or drops partitions of its source.
 * @throws ViewError VIEW_INVALID
 * @example
 * const perDay = defineRollup<Database>()({
 *   name: 'spending_per_day', source: 'transactions', time: 'created_at', bucket: 'day', keys: ['user_id'],
 *   measures: { total: { sum: 'amount' }, transactions: { count: true } },
 * })
 */
export function defineRollup<Database>(): <
  const Name extends keyof Database & string,
  const Source extends keyof Database & string,
>(
  options: RollupOptions<Database, Name, Source>,
) => Rollup {
  return (options) => resolveRollup(options)
}

function resolveRollup(input: unknown): Rollup {
  const parsed = shape.safeParse(input)
  if (!parsed.success) throw invalid(`The rollup is not usable: ${z.prettifyError(parsed.error)}`)
  const { refresh, measures: given, ...rest } = parsed.data
  const measures = Object.entries(given).map(([column, measure]) => resolveMeasure(column, measure))
  const columns = ['bucket', ...rest.keys, ...measures.map((measure) => measure.name)]
  const twice = columns.find((column, index) => columns.indexOf(column) !== index)
  if (twice !== undefined) throw invalid(`The rollup '${rest.name}' has two columns '${twice}'.`)
  const hash = createHash('sha256')
    .update(JSON.stringify([rest, measures]))
    .digest('hex')
  return Object.freeze({
    kind: 'rollup',
    ...rest,
    measures,
    budgetMs: refresh.budgetMs,
    refresh: Object.freeze({
      every: refresh.every === undefined ? undefined : parseSchedule(refresh.every, refresh.zone),
      after: undefined,
    }),
    hash,
  })
}

function resolveMeasure(column: string, measure: z.output<typeof measureShape>): RollupMeasure {
  const [[kind, of] = ['count', true]] = Object.entries(measure)
  return Object.freeze({
    name: column,
    function: kind as RollupMeasure['function'],
    column: typeof of === 'string' ? of : undefined,
  })
}
