import type { Clock } from '../ports/clock.ts'
import type { FleetShard } from '../ports/fleet.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { WorkerLease } from './worker-lease.ts'
import { releaseWorker, renewWorker, type TakenWorker } from './worker-sql.ts'

interface Holding extends TakenWorker {
  readonly shard: FleetShard
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly leaseMs: number
}

/** A worker number held on a shard, renewed in the background until it is released or lost. */
export class HeldWorkerLease implements WorkerLease {
  readonly worker: number
  readonly firstMs: number
  readonly #holding: Holding
  readonly #stop = new AbortController()
  readonly #renewing: Promise<void>
  #untilMs: number
  #usedMs: number
  #lost = false
  #released: Promise<void> | undefined

  constructor(holding: Holding) {
    this.#holding = holding
    this.worker = holding.worker
    this.firstMs = holding.firstMs
    this.#untilMs = holding.untilMs
    this.#usedMs = holding.firstMs - 1
    this.#renewing = this.#renewLoop()
  }

  get untilMs(): number {
    return this.#untilMs
  }

  get lost(): boolean {
    return this.#lost
  }

  used(timeMs: number): void {
    this.#usedMs = timeMs
  }

  release(): Promise<void> {
    this.#released ??= this.#giveBack()
    return this.#released
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  async #giveBack(): Promise<void> {
    // No id may be made from here on: what was not used goes back to others.
    const wasLost = this.#lost
    this.#lost = true
    this.#stop.abort()
    await this.#renewing
    if (wasLost) return
    await using connection = await this.#holding.shard.connect({ applicationName: 'shardwright ids' })
    await releaseWorker(connection, this.#holding, this.#usedMs)
  }

  async #renewLoop(): Promise<void> {
    const { clock, leaseMs } = this.#holding
    const { signal } = this.#stop
    while (!this.#lost) {
      try {
        await clock.sleep(leaseMs / 3, { signal, unref: true })
      } catch {
        return
      }
      await this.#renew()
    }
  }

  async #renew(): Promise<void> {
    const { shard, clock, leaseMs, telemetry } = this.#holding
    try {
      await using connection = await shard.connect({ applicationName: 'shardwright ids' })
      const untilMs = await renewWorker(connection, this.#holding, Math.max(clock.now(), this.#usedMs), leaseMs)
      if (untilMs === undefined) {
        this.#lost = true
        telemetry.log('error', `The lease on id worker ${this.worker} was lost.`, { shard: shard.id })
      } else this.#untilMs = untilMs
    } catch (error) {
      // Until the reserved span ends ids stay unique, and the next round may succeed.
      const reason = error instanceof Error ? error.message : String(error)
      telemetry.log('warn', `The lease on id worker ${this.worker} was not renewed: ${reason}`, { shard: shard.id })
    }
  }
}
