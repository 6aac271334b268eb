import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'

/** A part of a load: the arrivals per second go from one rate to another. */
export interface LoadStage {
  readonly durationMs: number
  readonly fromRate: number
  readonly toRate: number
}

const rate = z.number().min(0).max(1_000_000)
const shape = z
  .array(z.strictObject({ durationMs: z.number().positive(), fromRate: rate, toRate: rate }))
  .min(1)
  .refine((stages) => stages.reduce((sum, { durationMs }) => sum + durationMs, 0) <= 24 * 3_600_000, {
    message: 'a run is over within a day',
  })

/** @throws MonitorError MONITOR_INVALID_OPTIONS */
export function checkStages(stages: readonly LoadStage[]): readonly LoadStage[] {
  return parseOptions('The stages of the load', shape, stages)
}

/** From the start to the end of the last stage. */
export function totalMs(stages: readonly LoadStage[]): number {
  return stages.reduce((sum, { durationMs }) => sum + durationMs, 0)
}
