import { type Clock, type Fleet, noTelemetry, type Schema, systemClock, type Telemetry } from '@shardwright/core'
import { z } from 'zod'
import { checkPlacement } from '../definition/check-placement.ts'
import { orderViews } from '../definition/order-views.ts'
import type { View } from '../definition/view.ts'
import { invalid } from '../errors/view-error.ts'
import type { RefreshReport } from '../refresh/refresh-report.ts'
import type { Rollup } from '../rollup/rollup.ts'

export interface ViewManagerOptions {
  readonly fleet: Fleet
  readonly views?: readonly View[]
  readonly rollups?: readonly Rollup[]
  /** Checks that each view is placed where its rows are. */
  readonly schema?: Schema
  /** `lock_timeout` of a refresh, milliseconds; default 5000. */
  readonly lockTimeoutMs?: number
  /** How long install() waits for another installer or a refresh, milliseconds; default 60000. */
  readonly lockWaitMs?: number
  /** How often the swap of a changed view is tried when readers keep it from its lock, below a second each; default 50. */
  readonly swapAttempts?: number
  /** A scheduled refresh starts up to so much later, at random, by a tenth of its interval at most; default 30000. */
  readonly jitterMs?: number
  /** How often changes are counted for `refresh.after`, milliseconds; default 1000. */
  readonly pollMs?: number
  readonly clock?: Clock
  readonly telemetry?: Telemetry
  /** Called with the reports of each scheduled run. */
  readonly onReport?: (reports: readonly RefreshReport[]) => void | Promise<void>
}

const shape = z.strictObject({
  fleet: z.custom<Fleet>((value) => typeof value === 'object' && value !== null && 'shards' in value, 'is no Fleet'),
  views: z.array(z.custom<View>((value) => (value as View | undefined)?.kind === 'view', 'is no view')).default([]),
  rollups: z
    .array(z.custom<Rollup>((value) => (value as Rollup | undefined)?.kind === 'rollup', 'is no rollup'))
    .default([]),
  schema: z.custom<Schema>().optional(),
  lockTimeoutMs: z.int().positive().default(5000),
  lockWaitMs: z.int().min(0).default(60_000),
  swapAttempts: z.int().positive().default(50),
  jitterMs: z.int().min(0).default(30_000),
  pollMs: z.int().positive().default(1000),
  clock: z.custom<Clock>().default(() => systemClock),
  telemetry: z.custom<Telemetry>().default(() => noTelemetry),
  onReport: z.custom<ViewManagerOptions['onReport']>().optional(),
})

export type ResolvedManager = Readonly<z.output<typeof shape>>

/** Checks the options and puts the views in order of dependence. */
export function resolveManager(options: ViewManagerOptions): ResolvedManager {
  const parsed = shape.safeParse(options)
  if (!parsed.success) throw invalid(`The view manager's options are not usable: ${z.prettifyError(parsed.error)}`)
  const { views, rollups, schema } = parsed.data
  const names = [...views, ...rollups].map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalid(`Two views or rollups are called '${twice}'.`)
  if (schema) for (const view of views) checkPlacement(view, schema)
  return Object.freeze({ ...parsed.data, views: orderViews(views) })
}
