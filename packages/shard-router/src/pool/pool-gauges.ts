import { noTelemetry, type Telemetry } from '@shardwright/core'
import type { Server } from './server.ts'

const everyMs = 1_000
const nothing: Sample = { idle: 0, leased: 0, waiting: 0, clients: 0, inFlight: 0 }

interface Sample {
  readonly idle: number
  readonly leased: number
  readonly waiting: number
  readonly clients: number
  readonly inFlight: number
}

/** Says once a second how full the pools are, while somebody listens. Holds no process open. */
export class PoolGauges {
  readonly #telemetry: Telemetry
  readonly #servers: () => readonly Server[]
  #told: readonly Server[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(telemetry: Telemetry, servers: () => readonly Server[]) {
    this.#telemetry = telemetry
    this.#servers = servers
    if (telemetry === noTelemetry) return
    this.#timer = setInterval(() => this.sample(), everyMs)
    this.#timer.unref()
  }

  sample(): void {
    this.#tellAll(this.#servers())
  }

  /** A gauge keeps its last value: what is closed is told to be empty. */
  stop(): void {
    clearInterval(this.#timer)
    this.#tellAll([])
  }

  #tellAll(servers: readonly Server[]): void {
    const present = new Set(servers)
    for (const gone of this.#told) if (!present.has(gone)) this.#tell(gone, nothing)
    for (const server of servers) this.#tell(server, sampleOf(server))
    this.#told = servers
  }

  #tell(server: Server, { idle, leased, waiting, clients, inFlight }: Sample): void {
    const { shard, role, address } = server.context
    const attributes = { shard, role, server: address.label }
    for (const [state, value] of Object.entries({ idle, leased, waiting })) {
      this.#telemetry.gauge('shardwright.pool.sessions', value, { ...attributes, state })
    }
    this.#telemetry.gauge('shardwright.pool.pipelined_clients', clients, attributes)
    this.#telemetry.gauge('shardwright.pool.pipelined_in_flight', inFlight, attributes)
  }
}

function sampleOf({ exclusive, pipelined }: Server): Sample {
  const { idleCount, leasedCount, waitingCount } = exclusive.sessions
  return {
    idle: idleCount,
    leased: leasedCount,
    waiting: waitingCount,
    clients: pipelined?.clients.length ?? 0,
    inFlight: pipelined?.inFlight ?? 0,
  }
}
