import { z } from 'zod'

const amount = z.number().nonnegative()
const scatter = z.strictObject({ statement: z.string(), calls: amount, shards: amount })
const key = z.strictObject({ family: z.string(), key: z.string().optional(), uses: amount, share: amount })

/** What a process writes: the names of statements and families; keys only where that was asked for. */
export const callerReportShape = z.strictObject({ scatters: z.array(scatter), keys: z.array(key) })

/** @internal */
export type CallerReportBody = z.output<typeof callerReportShape>

/** A frequent shard key as a process reports it. */
export interface ReportedKey {
  readonly family: string
  /** Undefined where the process does not show keys. */
  readonly key?: string | undefined
  readonly uses: number
  readonly share: number
}

/** What one process has seen of its own statements over its last minutes. */
export interface CallerReport {
  /** E.g. `web-3/4711`. */
  readonly process: string
  /** Since it was written, by the clock of the server that has it, milliseconds. */
  readonly ageMs: number
  readonly scatters: readonly { readonly statement: string; readonly calls: number; readonly shards: number }[]
  readonly keys: readonly ReportedKey[]
}
