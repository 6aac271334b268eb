import type { Telemetry, TelemetryAttributes } from '@shardwright/core'

/** Sees from outside which shards gave rows for a case. */
export class Watch implements Telemetry {
  #rows = new Map<string, number>()
  #statements = 0

  start(): void {
    this.#rows = new Map()
    this.#statements = 0
  }

  /** Shards that were asked, and those that gave at least one row. */
  get seen(): { readonly asked: number; readonly withRows: number; readonly statements: number } {
    const withRows = [...this.#rows.values()].filter((rows) => rows > 0).length
    return { asked: this.#rows.size, withRows, statements: this.#statements }
  }

  record(name: string, value: number, attributes: TelemetryAttributes = {}): void {
    if (name !== 'shardwright.pool.rows') return
    const shard = String(attributes['shard'])
    this.#statements += 1
    this.#rows.set(shard, (this.#rows.get(shard) ?? 0) + value)
  }

  count(): void {}
  gauge(): void {}
  log(): void {}
  span() {
    return { end() {} }
  }
}
