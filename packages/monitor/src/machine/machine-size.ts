import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'

/** What a server cannot tell of its machine, and an operator knows. */
export interface MachineSize {
  /** Of the volume with the data directory, bytes. */
  readonly diskBytes?: number | undefined
  /** Of the volumes of further tablespaces, by their names, bytes. */
  readonly tablespaceBytes?: Readonly<Record<string, number>> | undefined
  readonly memoryBytes?: number | undefined
  readonly cpus?: number | undefined
}

/** Machines of primaries, by shard. */
export type MachineSizes = Readonly<Record<string, MachineSize>>

const amount = z.number().positive().finite()
const shape = z.record(
  z.string(),
  z.strictObject({
    diskBytes: amount.optional(),
    tablespaceBytes: z.record(z.string(), amount).optional(),
    memoryBytes: amount.optional(),
    cpus: amount.optional(),
  }),
)

/** @throws MonitorError MONITOR_INVALID_OPTIONS */
export function parseMachines(machines: unknown): MachineSizes {
  return parseOptions('The sizes of the machines', shape, machines)
}
