import { noTelemetry, type Telemetry } from '@shardwright/core'
import type { Server } from './server.ts'

const everyMs = 1_000

/** Says once a second how full the pools are, while somebody listens. Holds no process open. */
export class PoolGauges {
  readonly #telemetry: Telemetry
  readonly #servers: () => readonly Server[]
  #timer: NodeJS.Timeout | undefined

  constructor(telemetry: Telemetry, servers: () => readonly Server[]) {
    this.#telemetry = telemetry
    this.#servers = servers
    if (telemetry === noTelemetry) return
    this.#timer = setInterval(() => this.sample(), everyMs)
    this.#timer.unref()
  }

  sample(): void {
    for (const server of this.#servers()) {
      const { shard, role, address } = server.context
      const { idleCount, leasedCount, waitingCount } = server.exclusive.sessions
      const states = { idle: idleCount, leased: leasedCount, waiting: waitingCount }
      for (const [state, value] of Object.entries(states)) {
        this.#telemetry.gauge('shardwright.pool.sessions', value, { shard, role, server: address.label, state })
      }
      const attributes = { shard, role, server: address.label }
      this.#telemetry.gauge('shardwright.pool.pipelined_clients', server.pipelined?.clients.length ?? 0, attributes)
      this.#telemetry.gauge('shardwright.pool.pipelined_in_flight', server.pipelined?.inFlight ?? 0, attributes)
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
