import { createHash } from 'node:crypto'
import type { CompiledQuery, Kysely, KyselyPlugin, Selectable } from 'kysely'
import { z } from 'zod'
import { invalid } from '../errors/view-error.ts'
import { fitName } from '../sql/quote.ts'
import { compileSelect } from './compile-select.ts'
import { parseSchedule } from './schedule.ts'
import type { View } from './view.ts'

/** A SELECT of Kysely whose rows are `Row`. */
export interface ViewQuery<Row> {
  compile(): CompiledQuery
  execute(): Promise<Row[]>
}

export interface ViewOptions<Database, Name extends keyof Database & string> {
  /** A table of `Database`: the view is read like one. */
  readonly name: Name
  /** Its rows must be those that `Database` promises for `name`. Values in it become constants of the view. */
  readonly query: (db: Kysely<Database>) => ViewQuery<Selectable<Database[Name]>>
  /** Columns that tell the rows apart; a unique index over them is built and checked. */
  readonly uniqueOn: readonly (keyof Database[Name] & string)[]
  readonly refresh?: RefreshOptions
  /** The key family whose rows it holds; checked against the schema where the manager has one. */
  readonly family?: string
  /** The schema of the view, default `public`. Its query must name other views without a schema. */
  readonly schema?: string
  /** Further indexes. Those made by hand are lost when the definition changes. */
  readonly indexes?: readonly (readonly (keyof Database[Name] & string)[])[]
  /** Views that only raw SQL of the query names. */
  readonly dependsOn?: readonly string[]
  /** Plugins that the query is compiled with, e.g. CamelCasePlugin; `name` and columns are then physical names. */
  readonly plugins?: readonly KyselyPlugin[]
}

export interface RefreshOptions {
  /** `15 minutes`, `1 day`, or a cron expression. */
  readonly every?: string
  /** The zone of a cron expression, default `UTC`. */
  readonly zone?: string
  /**
   * Refreshes a shard once its tables had so many changed rows, or when there was a change and so many seconds have passed.
   * Counted by PostgreSQL's statistics, which may lag some seconds: nothing is added to a write.
   */
  readonly after?: { readonly changes: number; readonly seconds: number }
  /** Default true: readers are not blocked. The first refresh is always plain. */
  readonly concurrently?: boolean
  /** How long one refresh on one shard may take, milliseconds; default 600000. The old data stays when it runs out. */
  readonly budgetMs?: number
}

const names = z.array(z.string().min(1))
const shape = z.strictObject({
  name: z.string().regex(/^[^.]+$/, 'is one name; its schema goes to `schema`'),
  query: z.custom<(db: Kysely<unknown>) => { compile(): CompiledQuery }>(
    (value) => typeof value === 'function',
    'is no function',
  ),
  uniqueOn: names.min(1, 'names at least one column: CONCURRENTLY needs a unique index'),
  refresh: z
    .strictObject({
      every: z.string().optional(),
      zone: z.string().default('UTC'),
      after: z.strictObject({ changes: z.int().positive(), seconds: z.number().positive() }).optional(),
      concurrently: z.boolean().default(true),
      budgetMs: z.int().positive().default(600_000),
    })
    .prefault({}),
  family: z.string().min(1).optional(),
  schema: z.string().min(1).default('public'),
  indexes: z.array(names.min(1)).default([]),
  dependsOn: names.default([]),
  plugins: z.array(z.custom<KyselyPlugin>()).default([]),
})

/**
 * Defines a materialized view that exists on every shard; call it twice, so that its rows are checked against `Database`.
 * @throws ViewError VIEW_INVALID
 * @example
 * const monthly = defineView<Database>()({
 *   name: 'monthly_spending',
 *   query: (db) => db.selectFrom('transactions').groupBy(['user_id', 'category'])
 *     .select(['user_id', 'category', (eb) => eb.fn.sum<string>('amount').as('total')]),
 *   uniqueOn: ['user_id', 'category'],
 *   refresh: { every: '1 day' },
 * })
 */
export function defineView<Database>(): <const Name extends keyof Database & string>(
  options: ViewOptions<Database, Name>,
) => View {
  return (options) => resolveView(options)
}

function resolveView(input: unknown): View {
  const parsed = shape.safeParse(input)
  if (!parsed.success) throw invalid(`The view is not usable: ${z.prettifyError(parsed.error)}`)
  const { name, query, uniqueOn, refresh, family, schema, plugins, dependsOn } = parsed.data
  const compiled = compileSelect(query, plugins)
  if (compiled.kind !== 'SelectQueryNode' && compiled.kind !== 'RawNode') {
    throw invalid(`The view '${name}' is made from a ${compiled.kind}; only a SELECT can be materialized.`)
  }
  const indexes = parsed.data.indexes.map((columns) => ({ name: fitName(`${name}_${columns.join('_')}_idx`), columns }))
  const hash = createHash('sha256')
    .update(JSON.stringify([compiled.sql, uniqueOn, parsed.data.indexes]))
    .digest('hex')
  return Object.freeze({
    kind: 'view',
    schema,
    name,
    sql: compiled.sql,
    uniqueOn,
    indexes,
    family,
    reads: [...new Set([...compiled.reads, ...dependsOn])].filter((read) => read !== name),
    refresh: Object.freeze({
      every: refresh.every === undefined ? undefined : parseSchedule(refresh.every, refresh.zone),
      after: refresh.after,
      concurrently: refresh.concurrently,
      budgetMs: refresh.budgetMs,
    }),
    hash,
  })
}
