import { z } from 'zod'
import { ConfigurationError } from '../errors/configuration-error.ts'
import { IdError } from '../errors/id-error.ts'
import type { Clock } from '../ports/clock.ts'
import type { Fleet, FleetConnection, FleetShard } from '../ports/fleet.ts'
import { systemClock } from '../ports/system-clock.ts'
import { noTelemetry, type Telemetry } from '../ports/telemetry.ts'
import { HeldWorkerLease } from './held-worker-lease.ts'
import type { IdLayout } from './id-layout.ts'
import type { WorkerLease, WorkerLeases } from './worker-lease.ts'
import { acquireWorker, installWorkers } from './worker-sql.ts'

export interface FleetWorkerLeasesOptions {
  readonly fleet: Fleet
  readonly layout: IdLayout
  /** The shard that keeps the numbers. Default: the fleet's first. */
  readonly shard?: string | undefined
  /** How long a number stays with a process that does not answer, milliseconds. Default: 30000. */
  readonly leaseMs?: number | undefined
  readonly clock?: Clock | undefined
  readonly telemetry?: Telemetry | undefined
}

const leaseShape = z.number().int().min(1000).default(30_000)

/**
 * Worker numbers out of a table `shardwright.id_workers` on one shard of a fleet. Renews by itself every third of
 * `leaseMs`; holds no process open.
 * @throws ConfigurationError INVALID_OPTIONS
 * @example
 * const workers = fleetWorkerLeases({ fleet, layout })
 * await using lease = await workers.acquire()
 */
export function fleetWorkerLeases(options: FleetWorkerLeasesOptions): WorkerLeases {
  const { fleet, layout, clock = systemClock, telemetry = noTelemetry } = options
  const leaseMs = readLeaseMs(options.leaseMs)
  const shard = findShard(fleet, options.shard)
  return Object.freeze({
    acquire: async (): Promise<WorkerLease> => {
      await using connection = await shard.connect({ applicationName: 'shardwright ids' })
      await installWorkers(connection, 2 ** layout.workerBits)
      const nowMs = clock.now()
      const taken = await takeWorker(connection, nowMs, leaseMs, layout)
      return new HeldWorkerLease({ shard, clock, telemetry, leaseMs, ...taken })
    },
  })
}

function readLeaseMs(input: unknown): number {
  const parsed = leaseShape.safeParse(input)
  if (parsed.success) return parsed.data
  throw new ConfigurationError({
    code: 'INVALID_OPTIONS',
    message: `leaseMs is not usable: ${z.prettifyError(parsed.error)}`,
    hint: 'Pass whole milliseconds, at least 1000.',
  })
}

function findShard(fleet: Fleet, id: string | undefined): FleetShard {
  const shard = id === undefined ? fleet.shards[0] : fleet.shards.find((candidate) => candidate.id === id)
  if (shard) return shard
  throw new ConfigurationError({
    code: 'INVALID_OPTIONS',
    message: `The fleet has no shard '${id}' to keep worker numbers on.`,
    hint: `The shards are: ${fleet.shards.map((candidate) => candidate.id).join(', ')}.`,
    details: { shard: id },
  })
}

async function takeWorker(connection: FleetConnection, nowMs: number, leaseMs: number, layout: IdLayout) {
  const workers = 2 ** layout.workerBits
  const taken = await acquireWorker(connection, { nowMs, leaseMs, workers })
  if (taken) return taken
  throw new IdError({
    code: 'WORKERS_EXHAUSTED',
    message: `All ${workers} worker numbers are leased on shard '${connection.shardId}'.`,
    hint: 'Stop processes that no longer run, wait for their leases to end, or share one generator per process.',
    details: { workers, shard: connection.shardId },
  })
}
