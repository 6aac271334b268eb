import type { Telemetry, TelemetryAttributes, TelemetrySpan } from '@shardwright/core'
import type { ServerContext } from './server-context.ts'
import { sqlStateOf } from './sql-state.ts'
import { statementSummary } from './statement-summary.ts'

export type LaneName = 'pipelined' | 'exclusive' | 'lease' | 'stream'

/** What is measured of one shape on one lane: the same objects each time, so that adapters can keep a series by identity. */
interface Measured {
  readonly metric: TelemetryAttributes
  readonly span: TelemetryAttributes
  readonly name: string
}

/** Measures the statements of one server. Parameter values never reach it. */
export class StatementTelemetry {
  readonly #telemetry: Telemetry
  readonly #context: ServerContext
  readonly #server: TelemetryAttributes
  readonly #measured = new Map<string, Map<LaneName, Measured>>()
  /** By lane and summary: many shapes share one. */
  readonly #metrics = new Map<string, TelemetryAttributes>()

  constructor(context: ServerContext) {
    const { telemetry, shard, role, address } = context
    this.#telemetry = telemetry
    this.#context = context
    this.#server = Object.freeze({ shard, role, server: address.label })
  }

  start(sql: string, lane: LaneName): TelemetrySpan {
    const { name, span } = this.#measuredOf(sql, lane)
    return this.#telemetry.span(name, span)
  }

  succeeded(sql: string, lane: LaneName, durationMs: number, rows: number, span: TelemetrySpan): void {
    const { metric } = this.#measuredOf(sql, lane)
    this.#telemetry.record('shardwright.pool.statement_ms', durationMs, metric)
    this.#telemetry.record('shardwright.pool.rows', rows, metric)
    span.end()
  }

  failed(sql: string, lane: LaneName, durationMs: number, error: unknown, span: TelemetrySpan): void {
    const { metric } = this.#measuredOf(sql, lane)
    const code = sqlStateOf(error) ?? (error as { code?: unknown } | null)?.code
    this.#telemetry.record('shardwright.pool.statement_ms', durationMs, metric)
    const attributes = { ...metric, code: typeof code === 'string' ? code : 'unknown' }
    this.#telemetry.count('shardwright.pool.errors', 1, attributes)
    span.end({ error, attributes: { 'db.response.status_code': attributes.code } })
  }

  /** A wait for a session of the exclusive lane. */
  waited(waitMs: number): void {
    this.#telemetry.record('shardwright.pool.wait_ms', waitMs, this.#server)
  }

  #measuredOf(sql: string, lane: LaneName): Measured {
    const known = this.#measured.get(sql)?.get(lane)
    return known ?? this.#measure(sql, lane)
  }

  #measure(sql: string, lane: LaneName): Measured {
    if (this.#measured.size >= maxMeasured) this.#measured.clear()
    const { shard, role, address } = this.#context
    const { operation, target, summary } = statementSummary(sql)
    const [host = '', port = '5432'] = address.label.replace(/\/.*$/, '').split(':')
    const measured: Measured = Object.freeze({
      name: summary,
      metric: this.#shared(lane, summary, { shard, role, lane, statement: summary }),
      span: Object.freeze({
        'db.system.name': 'postgresql',
        'db.namespace': address.label.replace(/^[^/]*\//, ''),
        'db.operation.name': operation,
        'db.query.summary': summary,
        'db.query.text': sql,
        ...(target === '' ? {} : { 'db.collection.name': target }),
        'server.address': host,
        'server.port': Number(port),
        'shardwright.shard': shard,
        'shardwright.role': role,
        'shardwright.lane': lane,
      }),
    })
    const lanes = this.#measured.get(sql) ?? new Map<LaneName, Measured>()
    this.#measured.set(sql, lanes.set(lane, measured))
    return measured
  }

  #shared(lane: LaneName, summary: string, attributes: TelemetryAttributes): TelemetryAttributes {
    const key = `${lane} ${summary}`
    const known = this.#metrics.get(key) ?? Object.freeze(attributes)
    this.#metrics.set(key, known)
    return known
  }
}

const maxMeasured = 5_000
